"""What fuzzing found is judged: what is accepted, and what never is."""

from collections import Counter
from typing import Any

from harness.domain.fuzz import FuzzExclusion, FuzzFailure, FuzzObservations, judge_fuzz, one_of_each


def failure(**changes: Any) -> FuzzFailure:
    known = {
        "check": "c",
        "operation": "GET /a/{id}",
        "title": "t",
        "message": "m",
        "reproduction": "curl",
        "status": 200,
    }
    return FuzzFailure(**(known | changes))


def exclusion(**changes: Any) -> FuzzExclusion:
    return FuzzExclusion(**({"check": "c", "operation": "GET /a/*", "quirk": "Q1", "reason": "kept"} | changes))


def observed(*failures: FuzzFailure, **changes: Any) -> FuzzObservations:
    known: dict[str, Any] = {"seed": 1, "cases": 10, "operations": 1, "checks": 10, "statuses": Counter({200: 10})}
    return FuzzObservations(**(known | {"failures": failures, "problems": ()} | changes))


def test_a_failure_is_accepted_only_by_an_exclusion_that_fits_in_everything():
    for changes in ({"check": "d"}, {"operation": "POST /a/*"}, {"title": "u"}, {"message": "n*"}, {"status": 400}):
        assert judge_fuzz(observed(failure()), [exclusion(**changes)]).unexplained == (failure(),)
    assert judge_fuzz(observed(failure()), [exclusion(status=200, message="m*")]).passed


def test_each_failure_is_counted_once_and_unused_exclusions_show_zero():
    first, second = exclusion(), exclusion(operation="*")
    findings = judge_fuzz(observed(failure(), failure(operation="PUT /b")), [first, second, exclusion(check="x")])
    assert [count for _, count in findings.excluded] == [1, 1, 0]


def test_a_5xx_nothing_sent_or_a_case_not_judged_never_passes():
    assert judge_fuzz(observed(), []).passed
    assert not judge_fuzz(observed(statuses=Counter({503: 1})), [exclusion(operation="*")]).passed
    assert not judge_fuzz(observed(cases=0), []).passed
    assert not judge_fuzz(observed(problems=("no case could be made",)), []).passed


def test_one_failure_of_each_kind_is_shown_the_shortest_to_send_again():
    found = one_of_each([failure(reproduction="curl --long"), failure(), failure(title="u")])
    assert [(each.reproduction, count) for each, count in found] == [("curl", 2), ("curl", 1)]
