"""What only the repetition of a session shows is found: answers that fail now and then fail in either pass."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from harness.domain.compare.judge import judge_session
from harness.domain.compare.repetition import REPETITION_NOTE
from harness.domain.compare.rules import Rules
from harness.domain.difference import Comparison, Facet, Outcome
from tests.builders.records import JSON, answer, insert, session, step

RULES = Rules(today=date(2026, 2, 4))
GOOD = answer({"a": 1, "b": [1, 2]})
BUSY = answer({"message": "busy"}, 503)
WITH_DATE = (*JSON, ("Date", "Wed, 04 Feb 2026 12:00:00 GMT"), ("Server", "one"))
LATER = (*JSON, ("date", "Wed, 04 Feb 2026 12:00:07 GMT"), ("via", "another"))


def _judge(first: tuple[Any, Any], second: tuple[Any, Any]) -> Comparison:
    return judge_session(session(step(*first), repeat=(step(*second),)), RULES)[0]


@pytest.mark.parametrize(
    ("broken", "facet"),
    [
        (BUSY, Facet.STATUS),
        ("connection reset", Facet.TRANSPORT),
        (answer({"a": 2, "b": [1, 2]}), Facet.BODY),
        (answer({"a": 1}), Facet.BODY),
        (answer({"a": 1, "b": [2, 1]}), Facet.BODY),
        (answer({"a": 1, "b": [1, 2]}, headers=(*JSON, ("etag", "x"))), Facet.HEADER),
        (answer({"a": 1, "b": [1, 2]}, headers=(*JSON, *JSON)), Facet.HEADER),
    ],
)
def test_a_failure_in_the_second_pass_alone_is_found(broken: Any, facet: Facet) -> None:
    comparison = _judge((GOOD, GOOD), (GOOD, broken))
    assert comparison.outcome is Outcome.DIFFERENT and comparison.note == REPETITION_NOTE
    assert facet in {difference.facet for difference in comparison.differences}


def test_what_both_passes_show_is_told_once() -> None:
    other = answer({"a": 2, "b": [1, 2]})
    (difference,) = _judge((GOOD, other), (GOOD, other)).differences
    assert difference.pointer == "/a"


def test_a_side_that_is_the_legacy_s_equal_in_both_passes_is_identical() -> None:
    assert _judge((GOOD, GOOD), (BUSY, BUSY)).outcome is Outcome.IDENTICAL
    assert _judge((GOOD, GOOD), ("refused", "refused")).outcome is Outcome.IDENTICAL


def test_dates_and_proxies_of_the_second_pass_are_no_failure() -> None:
    one, two = replace_headers(WITH_DATE), replace_headers(LATER)
    assert _judge((one, one), (two, two)).outcome is Outcome.IDENTICAL
    assert _judge((one, one), (two, replace_headers(JSON))).differences[0].pointer == "date"


def test_rows_of_the_second_pass_are_compared() -> None:
    row, other = insert(1, "a"), insert(1, "b")
    first = step(GOOD, GOOD, "POST /x", legacy_changes=(row,), target_changes=(row,))
    second = step(GOOD, GOOD, "POST /x", legacy_changes=(row,), target_changes=(other,))
    (difference,) = judge_session(session(first, repeat=(second,)), RULES)[0].differences
    assert difference.facet is Facet.ROW and difference.pointer == "/trades/1/code"


def test_a_repetition_that_ended_early_adds_nothing() -> None:
    record = session(step(GOOD, GOOD), step(GOOD, GOOD, n=1), repeat=(step(GOOD, GOOD),))
    assert {found.outcome for found in judge_session(record, RULES)} == {Outcome.IDENTICAL}
    assert judge_session(replace(record, repeat=()), RULES) == judge_session(record, RULES)


def replace_headers(headers: Any) -> Any:
    return answer({"a": 1, "b": [1, 2]}, headers=headers)
