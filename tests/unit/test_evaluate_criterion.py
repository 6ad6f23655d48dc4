"""Verdicts from evidence: only what settles a criterion passes or fails it."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.domain.criterion import Check, Criterion, CriterionEvidence, Limit, Verdict
from harness.domain.evaluate import EvaluationContext, error_result, evaluate_criterion
from harness.domain.measurement import Measurement
from harness.domain.phase import Scope

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
CONTEXT = EvaluationContext(scope=Scope(environment="local", profile="full"), commit="abc", judged_at=NOW)
LATENCY = Criterion(
    id="P4.latency.p99", phase=4, title="p99", probe="latency", target=1.0, unit="s", measurement="latency.p99"
)
PARITY = Criterion(id="P4.x.parity", phase=4, title="parity", probe="answer_parity")


def figure(value: float, lower: float | None, upper: float | None, **changes: object) -> Measurement:
    base = Measurement(
        name="latency.p99", subject="target", value=value, unit="ms", samples=600, lower=lower, upper=upper
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def measured(*figures: Measurement, **changes: object) -> CriterionEvidence:
    return replace(CriterionEvidence(criterion_id=LATENCY.id, measurements=figures), **changes)  # type: ignore[arg-type]


def checked(*checks: Check, **changes: object) -> CriterionEvidence:
    return replace(CriterionEvidence(criterion_id=PARITY.id, checks=checks), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lower", "upper", "verdict", "bound"),
    [
        (400, 999, Verdict.PASS, 0.999),
        (400, 1000, Verdict.PASS, 1.0),
        (400, 1001, Verdict.INCONCLUSIVE, 1.001),
        (1001, 1500, Verdict.FAIL, 1.001),
        (1000, 1500, Verdict.INCONCLUSIVE, 1.5),
        (None, 999, Verdict.PASS, 0.999),
        (400, None, Verdict.INCONCLUSIVE, None),
        (1001, None, Verdict.FAIL, 1.001),
        (None, None, Verdict.INCONCLUSIVE, None),
    ],
)
def test_a_figure_is_judged_by_its_whole_interval(
    lower: float | None, upper: float | None, verdict: Verdict, bound: float | None
) -> None:
    result = evaluate_criterion(LATENCY, measured(figure(900, lower, upper)), CONTEXT)
    assert result.verdict is verdict
    assert result.bound == bound
    assert (result.measured, result.unit, result.target) == (0.9, "s", 1.0)


def test_a_figure_that_must_be_great_is_judged_the_other_way_round() -> None:
    hit_rate = replace(LATENCY, target=90.0, unit="%", limit=Limit.AT_LEAST)
    evidence = measured(figure(95, 91, 97, unit="%"))
    assert evaluate_criterion(hit_rate, evidence, CONTEXT).verdict is Verdict.PASS
    assert evaluate_criterion(replace(hit_rate, target=98.0), evidence, CONTEXT).verdict is Verdict.FAIL
    assert evaluate_criterion(replace(hit_rate, target=96.0), evidence, CONTEXT).verdict is Verdict.INCONCLUSIVE


def test_the_reason_names_the_samples_that_would_settle_it() -> None:
    wide = evaluate_criterion(LATENCY, measured(figure(900, 700, 1100)), CONTEXT)
    assert "about 2,400 samples would settle it, and it has 600" in wide.reason
    few = evaluate_criterion(LATENCY, measured(figure(900, 700, None, samples=120)), CONTEXT)
    assert "needs at least 299 samples, and has 120" in few.reason


def test_the_worst_subject_decides_and_the_baseline_never_does() -> None:
    slow_legacy = figure(5000, 4000, 6000, subject="legacy")
    good, bad = figure(100, 90, 120, subject="a"), figure(2000, 1900, 2100, subject="b")
    assert evaluate_criterion(LATENCY, measured(slow_legacy, good), CONTEXT).verdict is Verdict.PASS
    both = evaluate_criterion(LATENCY, measured(slow_legacy, good, bad), CONTEXT)
    assert (both.verdict, both.measured) == (Verdict.FAIL, 2.0)
    assert evaluate_criterion(LATENCY, measured(slow_legacy), CONTEXT).verdict is Verdict.INCONCLUSIVE


def test_an_answer_that_never_came_fails() -> None:
    result = evaluate_criterion(LATENCY, measured(figure(math.inf, 2000, math.inf)), CONTEXT)
    assert (result.verdict, result.measured) == (Verdict.FAIL, "no answer")


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (None, "no evidence yet"),
        (measured(), "nothing was observed"),
        (measured(figure(1, 1, 1), samples=0), "nothing was observed"),
        (measured(figure(1, 1, 1), environment="staging"), "foreign evidence: it is from staging"),
        (measured(figure(1, 1, 1), commit="def"), "foreign evidence: it is of commit def"),
        (measured(figure(1, 1, 1, scope="staging")), "was measured in staging"),
        (measured(figure(1, 1, 1), recorded_at=NOW - timedelta(days=2)), "stale evidence"),
        (measured(figure(1, 1, 1, samples=0), samples=1), "has no samples"),
        (measured(figure(1, 1, 1, unit="USD/month")), "is in USD/month, not in s"),
        (measured(figure(1, 1, 1, name="latency.p50")), "latency.p99 was not measured"),
    ],
)
def test_missing_empty_stale_and_foreign_evidence_is_inconclusive(
    evidence: CriterionEvidence | None, words: str
) -> None:
    result = evaluate_criterion(LATENCY, evidence, CONTEXT)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert words in result.reason


@pytest.mark.parametrize(
    ("passed", "verdict"), [(True, Verdict.PASS), (False, Verdict.FAIL), (None, Verdict.INCONCLUSIVE)]
)
def test_the_worst_check_decides(passed: bool | None, verdict: Verdict) -> None:
    evidence = checked(Check(name="a", passed=True), Check(name="b", passed=passed, detail="why"))
    result = evaluate_criterion(PARITY, evidence, CONTEXT)
    assert result.verdict is verdict
    assert "b: why" in result.reason


def test_a_passing_check_over_nothing_compared_is_inconclusive() -> None:
    evidence = checked(Check(name="answers equal", passed=True), samples=0)
    assert evaluate_criterion(PARITY, evidence, CONTEXT).verdict is Verdict.INCONCLUSIVE


def test_a_failing_check_fails_a_figure_that_passes() -> None:
    evidence = measured(figure(100, 90, 120), checks=(Check(name="errors", passed=False),))
    assert evaluate_criterion(LATENCY, evidence, CONTEXT).verdict is Verdict.FAIL


def test_figures_without_checks_do_not_pass_a_criterion_without_target() -> None:
    evidence = CriterionEvidence(criterion_id=PARITY.id, measurements=(figure(1, 1, 1),))
    assert evaluate_criterion(PARITY, evidence, CONTEXT).verdict is Verdict.INCONCLUSIVE


def test_evidence_for_another_criterion_is_refused() -> None:
    with pytest.raises(ValueError, match="offered for"):
        evaluate_criterion(PARITY, measured(figure(1, 1, 1)), CONTEXT)


def test_a_broken_probe_is_an_error_that_is_named() -> None:
    result = error_result(PARITY, "answer_parity: KeyError: 'x'", CONTEXT)
    assert (result.verdict, result.reason) == (Verdict.ERROR, "answer_parity: KeyError: 'x'")
