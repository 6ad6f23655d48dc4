"""P4.isolation: what it takes to pass."""

from dataclasses import replace

import pytest

from harness.domain.isolation.campaign import Campaign, has_contention
from harness.domain.isolation.judge import judge_history
from harness.domain.isolation.records import campaign_record, history_records
from harness.wiring.probes.isolation import judge_isolation
from tests.builders.histories import created, history, op, row

GOOD = history(
    created(),
    op("rename", (10, 20), value=5, answer=row("5")),
    op("reprice", (15, 30), value=6, answer=row("5", 6.0)),
)
BAD = history(*GOOD.ops, op("read", (40, 41), answer=row("1", 6.0)))


def campaign(*histories: object, **changes: int) -> Campaign:
    made = Campaign(seed=1)
    for each in histories:
        made.add(each, judge_history(each))  # type: ignore[arg-type]
    return replace(made, **changes)


def verdicts(target: Campaign, model: Campaign) -> list[bool | None]:
    return [check.passed for check in judge_isolation(target, model)]


def test_clean_histories_in_which_writes_met_pass() -> None:
    assert verdicts(campaign(GOOD), campaign(GOOD)) == [True, True, True, True]


@pytest.mark.parametrize(
    ("target", "model", "expected"),
    [
        pytest.param(campaign(GOOD, BAD), campaign(GOOD), [True, True, True, False], id="a finding"),
        pytest.param(campaign(GOOD), campaign(BAD), [None, True, True, True], id="the legacy breaks the model"),
        pytest.param(campaign(BAD), campaign(BAD), [None, True, True, None], id="a finding by a wrong model"),
        pytest.param(campaign(GOOD), campaign(), [None, True, True, True], id="the legacy was not asked"),
        pytest.param(campaign(history(created())), campaign(GOOD), [True, None, True, True], id="no writes met"),
        pytest.param(campaign(GOOD, undecided=1), campaign(GOOD), [True, True, None, True], id="undecided"),
        pytest.param(campaign(), campaign(GOOD), [True, None, True, True], id="nothing ran"),
    ],
)
def test_what_keeps_it_from_passing(target: Campaign, model: Campaign, expected: list[bool | None]) -> None:
    assert verdicts(target, model) == expected


def test_writes_that_only_follow_each_other_do_not_meet() -> None:
    later = op("reprice", (21, 30), value=6, answer=row("5", 6.0))
    assert has_contention(GOOD.ops)
    assert not has_contention((*GOOD.ops[:2], later))


def test_records_carry_the_counterexample_and_every_operation() -> None:
    (finding,) = campaign_record(campaign(BAD))["findings"]  # type: ignore[misc]
    assert (finding["anomaly"], finding["count"]) == ("lost update", 1)
    assert {each["operation"] for each in finding["counterexample"]} <= {"rename", "reprice", "read"}
    assert finding["timeline"][0].startswith(finding["title"])
    lines = [*history_records(BAD)]
    assert [line["index"] for line in lines] == [0, 1, 2, 3]
    assert lines[-1]["row"] == {"id": "1", "label": "1", "price": 6.0, "state": "open"}
