"""Anomalies by name, pages, and the smallest counterexample with its drawing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from harness.domain.isolation.anomaly import Anomaly
from harness.domain.isolation.history import History, Op
from harness.domain.isolation.judge import Finding, judge_history
from harness.domain.isolation.linearise import Answer, linearise
from harness.domain.isolation.model import KEY_MODEL
from harness.domain.isolation.scenario import Refusal
from harness.domain.isolation.timeline import draw_timeline
from tests.builders.histories import created, history, op, page, row

RENAMED = op("rename", (10, 20), value=5, answer=row("5"))
REPRICED = op("reprice", (11, 21), value=6, answer=row("1", 6.0))


def only_finding(found: History) -> Finding:
    (finding,) = judge_history(found).findings
    return finding


CASES: list[tuple[Anomaly, Sequence[Op]]] = [
    (Anomaly.LOST_UPDATE, [created(), RENAMED, REPRICED, op("read", (30, 31), answer=row("1", 6.0))]),
    (
        Anomaly.STALE_READ,
        [
            created(),
            RENAMED,
            op("read", (30, 31), answer=row("1")),
            op("read", (40, 41), answer=row("5")),
        ],
    ),
    (
        Anomaly.DOUBLE_TRANSITION,
        [
            created(),
            op("seal", (10, 20), value=5, answer=row("1", 5.0, "sealed")),
            op("seal", (11, 19), value=6, answer=row("1", 6.0, "sealed")),
        ],
    ),
    (Anomaly.DOUBLE_TRANSITION, [created(), op("delete", (10, 20)), op("delete", (12, 18))]),
    (Anomaly.WRITE_SKEW, [created((0, 5)), created((1, 6), 2, id="2")]),
    (
        Anomaly.DIRTY_READ,
        [
            created(),
            op("rename", (10, 20), value=5, status=404),
            op("read", (12, 14), answer=row("5")),
        ],
    ),
    (Anomaly.WRONG_ANSWER, [created(), op("read", (10, 11), status=418)]),
    (Anomaly.WRONG_ANSWER, [created(), op("list", (10, 11), status=404)]),
    (Anomaly.LOST_UPDATE, [op("read", (10, 11), status=404), created((0, 5))]),
    (Anomaly.STALE_READ, [created(), op("read", (10, 11), status=404), op("read", (20, 21), answer=row("1"))]),
    # What a later delete takes away makes nothing stale that was shown before.
    (
        Anomaly.LOST_UPDATE,
        [
            created(),
            RENAMED,
            op("reprice", (30, 31), value=6, answer=row("1", 6.0)),
            op("delete", (40, 41)),
            op("read", (50, 51), status=404),
        ],
    ),
    # A write without an answer was seen, and then no more: nobody was told that it happened.
    (
        Anomaly.DIRTY_READ,
        [
            created(),
            op("rename", (10, 20), value=5, status=500),
            op("read", (12, 14), answer=row("5")),
            op("read", (30, 31), answer=row("1")),
        ],
    ),
    # Half of a seal: its state without its price.
    (
        Anomaly.DIRTY_READ,
        [
            created(),
            op("seal", (10, 20), value=5, answer=row("1", 5.0, "sealed")),
            op("read", (12, 14), answer=row("1", None, "sealed")),
            op("read", (30, 31), answer=row("1", 5.0, "sealed")),
        ],
    ),
    # Whatever became of either: two rows have had the key at once.
    (
        Anomaly.WRITE_SKEW,
        [
            created((0, 5)),
            created((1, 6), 2, id="2"),
            op("delete", (10, 11)),
            op("delete", (12, 13), row_id="2"),
        ],
    ),
]


@pytest.mark.parametrize(("anomaly", "ops"), CASES, ids=[f"{n} {case[0]}" for n, case in enumerate(CASES)])
def test_an_anomaly_is_named(anomaly: Anomaly, ops: Sequence[Op]) -> None:
    assert only_finding(history(*ops)).anomaly is anomaly


def test_a_lost_update_is_named_after_a_write() -> None:
    seen = op("read", (22, 23), answer=row("5", None))
    found = only_finding(history(created(), RENAMED, seen, op("read", (30, 31), answer=row("1"))))
    assert found.title == "lost update of rename"


def test_a_refusal_is_no_finding_where_the_model_refuses() -> None:
    sealed = op("seal", (10, 20), value=5, answer=row("1", 5.0, "sealed"))
    refused = op("seal", (11, 19), value=6, status=409)
    gone = op("rename", (40, 41), value=7, status=404)
    assert judge_history(history(created(), sealed, refused, op("delete", (30, 31)), gone)).findings == ()


@pytest.mark.parametrize(("seen", "anomalies"), [("1", []), ("5", [Anomaly.DIRTY_READ])])
def test_who_was_in_the_way_of_others_has_done_nothing(seen: str, anomalies: list[Anomaly]) -> None:
    refused = op("rename", (10, 20), value=5, status=412)
    refused = replace(refused, spec=structs.replace(refused.spec, refused={Refusal.ABSENT: 404, Refusal.CONFLICT: 412}))
    read = op("read", (30, 31), answer=row(seen))
    assert [found.anomaly for found in judge_history(history(created(), refused, read)).findings] == anomalies


TWO = (created((0, 1), 1, key="a", id="1"), created((2, 3), 2, key="b", id="2"))
KEYS = ("a", "b")


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(page(("a", row("1"))), id="a row is missing"),
        pytest.param(page(("a", row("1")), ("b", row("2", id="2")), total=3), id="another count"),
        pytest.param(page(("a", row("1")), ("a", row("1"))), id="a row twice"),
        pytest.param(page(("b", row("2", id="2")), ("a", row("1"))), id="another order"),
        pytest.param(page(("a", row("0")), ("b", row("2", id="2"))), id="a value of before"),
        pytest.param(page(("b", row("2", id="2")), size=1, total=2), id="the second page as the first"),
    ],
)
def test_a_page_that_no_moment_had_is_a_phantom(shown: object) -> None:
    listed = op("list", (10, 11), page=shown)  # type: ignore[arg-type]
    assert {each.anomaly for each in judge_history(history(*TWO, listed, keys=KEYS)).findings} == {Anomaly.PHANTOM_PAGE}


def test_a_page_of_two_moments_is_a_phantom_though_each_of_its_rows_was_so_once() -> None:
    first = op("rename", (20, 30), value=5, key="a", answer=row("5"))
    second = op("rename", (31, 40), value=6, key="b", row_id="2", answer=row("6", id="2"))
    torn = op("list", (15, 50), page=page(("a", row("1")), ("b", row("6", id="2"))))
    whole = op("list", (15, 50), page=page(("a", row("5")), ("b", row("2", id="2"))))
    assert judge_history(history(*TWO, first, second, whole, keys=KEYS)).findings == ()
    finding = only_finding(history(*TWO, first, second, torn, keys=KEYS))
    assert finding.anomaly is Anomaly.PHANTOM_PAGE
    assert {each.spec.name for each in finding.core} == {"rename", "list"}


def test_a_page_says_nothing_of_rows_beyond_it() -> None:
    first = op("list", (10, 11), page=page(("a", row("1")), size=1, total=2))
    second = op("list", (12, 13), page=page(("b", row("2", id="2")), size=1, number=2, total=2))
    assert judge_history(history(*TWO, first, second, keys=KEYS)).findings == ()


def test_the_counterexample_is_smallest_and_still_one() -> None:
    noise = [op("read", (30 + n, 31 + n), answer=row("5", 6.0)) for n in range(3)]
    ops = history(created(), RENAMED, REPRICED, *noise, op("read", (40, 41), answer=row("1", 6.0))).ops
    core = {each.index for each in only_finding(history(*ops)).core}
    assert _answer_of(ops, core) is Answer.NOT_LINEARISABLE
    assert {_answer_of(ops, core - {left_out}) for left_out in core} == {Answer.LINEARISABLE}


def test_what_begins_as_another_ends_may_have_come_before_it() -> None:
    deleted = op("delete", (8, 12))
    ops = history(created(), op("rename", (8, 8), value=5, status=404), deleted, op("read", (10, 11), answer=row("1")))
    core = {each.index for each in only_finding(ops).core}
    assert _answer_of(ops.ops, core) is Answer.NOT_LINEARISABLE


def _answer_of(ops: Sequence[Op], believed: set[int]) -> Answer:
    """Where only the answers of some are believed, and every other write may have happened."""
    part = [each if each.index in believed else replace(each, is_optional=True) for each in ops]
    part = [each for each in part if each.index in believed or each.may_write]
    return linearise(part, KEY_MODEL).answer


def test_a_finding_is_drawn() -> None:
    finding = only_finding(history(*CASES[0][1]))
    drawing = draw_timeline(finding)
    assert drawing.splitlines()[0] == "lost update of rename: h, k"
    assert "* client 1   |[" in drawing
    assert "rename k (row 1): label='5' -> 200 {label='5', price=null, state='open'}" in drawing
    assert "reprice k (row 1): price=6 -> 200 {label='1', price=6, state='open'}" in drawing


def test_what_was_shown_too_early_is_drawn_with_it() -> None:
    refused = op("rename", (10, 20), value=5, status=404)
    finding = only_finding(history(created(), refused, op("read", (12, 14), answer=row("5"))))
    assert [each.spec.name for each in finding.core] == ["read"]
    assert "  client 1   |[====" in draw_timeline(finding)
    assert "rename k (row 1): label='5' -> 404" in draw_timeline(finding)


def test_a_page_is_drawn_as_the_page_that_it_is() -> None:
    listed = op("list", (10, 11), page=page(("a", row("0")), total=2, size=1))
    finding = only_finding(history(*TWO, listed, keys=KEYS))
    assert "list page 1 of size 1 -> 200 1 rows of 2: a {label='0'" in draw_timeline(finding)
