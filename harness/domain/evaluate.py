"""The verdict on one criterion from its evidence."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.domain.criterion import Check, Criterion, CriterionEvidence, CriterionResult, Limit, Verdict
from harness.domain.measurement import BASELINE_SUBJECTS, Measurement, format_quantity
from harness.domain.phase import Scope
from harness.domain.statistics import Bounds, samples_for_percentile, samples_to_settle

NO_EVIDENCE = "no evidence yet"
_BADNESS = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.ERROR: 2, Verdict.FAIL: 3}
_REASONS_SPELT_OUT = 3
_PERCENTILE = re.compile(r"\.p(\d{1,2})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationContext:
    """What evidence must belong to: older evidence than `max_age` is stale."""

    scope: Scope
    commit: str
    judged_at: datetime
    max_age: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    verdict: Verdict
    reason: str
    measurement: Measurement | None = None
    bound: float | None = None
    excess: float = -math.inf
    """How far the figure is beyond the target: among equally bad findings the farthest is shown."""


def evaluate_criterion(
    criterion: Criterion, evidence: CriterionEvidence | None, context: EvaluationContext
) -> CriterionResult:
    """PASS or FAIL only where the evidence settles it; the worst check or measurement decides.

    Missing, empty, stale or foreign evidence is INCONCLUSIVE. A figure passes when its whole 95 % interval keeps
    to the target, fails when none of it does, and is INCONCLUSIVE otherwise, with the samples that would settle it.

    Raises:
        ValueError: the evidence is for another criterion.
    """
    if evidence is None:
        return _result(criterion, None, context, (_missing(criterion, context.scope),))
    if evidence.criterion_id != criterion.id:
        raise ValueError(f"evidence for {evidence.criterion_id} was offered for {criterion.id}")
    unusable = _why_unusable(evidence, context)
    if unusable:
        return _result(criterion, evidence, context, (_Finding(verdict=Verdict.INCONCLUSIVE, reason=unusable),))
    findings = [*_judge_measurements(criterion, evidence), *map(_judge_check, evidence.checks)]
    return _result(criterion, evidence, context, findings or (_nothing_to_judge(criterion),))


def error_result(criterion: Criterion, message: str, context: EvaluationContext) -> CriterionResult:
    """The result of a probe that broke: counts as INCONCLUSIVE, and is named."""
    return _result(criterion, None, context, (_Finding(verdict=Verdict.ERROR, reason=message),))


def _missing(criterion: Criterion, scope: Scope) -> _Finding:
    if not scope.can_settle(criterion):
        reason = f"{NO_EVIDENCE}: needs AWS, the {scope.environment} environment cannot settle it"
    elif criterion.probe is None:
        reason = f"{NO_EVIDENCE}: no probe gathers it so far"
    elif not scope.requires(criterion):
        reason = f"{NO_EVIDENCE}: this run was not asked for it ({scope.profile} profile)"
    else:
        reason = f"{NO_EVIDENCE}: the probe {criterion.probe} gathered nothing in this run"
    return _Finding(verdict=Verdict.INCONCLUSIVE, reason=reason)


def _why_unusable(evidence: CriterionEvidence, context: EvaluationContext) -> str:
    environment = context.scope.environment
    if evidence.environment not in {None, environment}:
        return f"foreign evidence: it is from {evidence.environment}, not from {environment}"
    if evidence.commit not in {None, context.commit}:
        return f"foreign evidence: it is of commit {evidence.commit or 'unknown'}, not of {context.commit}"
    for measurement in evidence.measurements:
        if measurement.scope != environment:
            return f"foreign evidence: {measurement.name} was measured in {measurement.scope}, not in {environment}"
    if evidence.recorded_at is not None and context.judged_at - evidence.recorded_at > context.max_age:
        return f"stale evidence: recorded at {evidence.recorded_at:%Y-%m-%d %H:%M} UTC"
    if not (evidence.measurements or evidence.checks) or _sample_count(evidence) == 0:
        return f"{NO_EVIDENCE}: nothing was observed"
    return ""


def _judge_measurements(criterion: Criterion, evidence: CriterionEvidence) -> list[_Finding]:
    if criterion.target is None:
        return []
    judged = [
        measurement
        for measurement in evidence.measurements
        if measurement.name == criterion.measurement and measurement.subject not in BASELINE_SUBJECTS
    ]
    if not judged:
        reason = f"{NO_EVIDENCE}: {criterion.measurement} was not measured"
        return [_Finding(verdict=Verdict.INCONCLUSIVE, reason=reason)]
    return [_judge_measurement(criterion, measurement, criterion.target) for measurement in judged]


def _judge_measurement(criterion: Criterion, measurement: Measurement, target: float) -> _Finding:
    try:
        figure = measurement.in_unit(criterion.unit)
    except ValueError as error:
        return _Finding(verdict=Verdict.INCONCLUSIVE, reason=str(error), measurement=measurement)
    if figure.samples < 1 or math.isnan(figure.value):
        return _Finding(verdict=Verdict.INCONCLUSIVE, reason=f"{NO_EVIDENCE}: {figure.name} has no samples")
    near, far = (figure.lower, figure.upper) if criterion.limit is Limit.AT_MOST else (figure.upper, figure.lower)
    verdict = _verdict_of(near, far, target, criterion.limit)
    bound = near if verdict is Verdict.FAIL else far
    excess = figure.value - target if criterion.limit is Limit.AT_MOST else target - figure.value
    reason = _describe(figure, bound, criterion, verdict)
    return _Finding(verdict=verdict, reason=reason, measurement=figure, bound=bound, excess=excess)


def _verdict_of(near: float | None, far: float | None, target: float, limit: Limit) -> Verdict:
    """`near` is the end of the interval closer to fulfilling the target, `far` the other one."""
    sign = 1 if limit is Limit.AT_MOST else -1
    if far is not None and sign * far <= sign * target:
        return Verdict.PASS
    if near is not None and sign * near > sign * target:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


def _describe(figure: Measurement, bound: float | None, criterion: Criterion, verdict: Verdict) -> str:
    target = criterion.target if criterion.target is not None else math.nan
    named = f"{figure.name} of {figure.subject} is {format_quantity(figure.value, figure.unit)}"
    limit = f"{criterion.limit.value.replace('_', ' ')} {format_quantity(target, criterion.unit)}"
    if verdict is Verdict.INCONCLUSIVE:
        return f"{named}, asked for {limit}: {_what_settles(figure, bound, target)}"
    side = "at least" if (verdict is Verdict.FAIL) == (criterion.limit is Limit.AT_MOST) else "at most"
    interval = format_quantity(math.inf if bound is None else bound, figure.unit)
    return f"{named}, {side} {interval} with 95 % confidence; asked for {limit}"


def _what_settles(figure: Measurement, bound: float | None, target: float) -> str:
    percentile = _PERCENTILE.search(figure.name)
    if bound is None:
        fewest = samples_for_percentile(int(percentile[1]) / 100) if percentile else None
        return f"it needs at least {fewest:,} samples, and has {figure.samples:,}" if fewest else "it has no interval"
    bounds = Bounds(value=figure.value, lower=figure.lower, upper=figure.upper, samples=figure.samples)
    needed = samples_to_settle(bounds, target)
    if needed is None:
        return "its interval holds the target, and more samples may not settle it"
    return f"its interval holds the target; about {needed:,} samples would settle it, and it has {figure.samples:,}"


def _judge_check(check: Check) -> _Finding:
    verdict = {True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.INCONCLUSIVE}[check.passed]
    return _Finding(verdict=verdict, reason=f"{check.name}: {check.detail}" if check.detail else check.name)


def _nothing_to_judge(criterion: Criterion) -> _Finding:
    reason = f"{NO_EVIDENCE}: {criterion.probe or 'the probe'} checked nothing"
    return _Finding(verdict=Verdict.INCONCLUSIVE, reason=reason)


def _result(
    criterion: Criterion,
    evidence: CriterionEvidence | None,
    context: EvaluationContext,
    findings: Sequence[_Finding],
) -> CriterionResult:
    worst = max(findings, key=lambda finding: (_BADNESS[finding.verdict], finding.excess))
    measured, unit = _measured(criterion, evidence, worst)
    is_finite = worst.bound is not None and math.isfinite(worst.bound)
    return CriterionResult(
        id=criterion.id,
        title=criterion.title,
        verdict=worst.verdict,
        measured=measured,
        unit=unit,
        target=criterion.target,
        bound=worst.bound if is_finite else None,
        samples=0 if evidence is None else _sample_count(evidence),
        evidence=() if evidence is None else evidence.evidence_paths,
        reason=_reason(worst, findings),
        is_required=context.scope.requires(criterion),
    )


def _measured(
    criterion: Criterion, evidence: CriterionEvidence | None, worst: _Finding
) -> tuple[float | str | None, str]:
    shown = worst.measurement
    if shown is None and evidence is not None and evidence.measurements and criterion.target is None:
        shown = evidence.measurements[0]
    if shown is not None:
        return (shown.value if math.isfinite(shown.value) else "no answer"), shown.unit
    if evidence is None or not evidence.checks:
        return None, criterion.unit
    passed = sum(check.passed is True for check in evidence.checks)
    return f"{passed} of {len(evidence.checks)} checks", criterion.unit


def _reason(worst: _Finding, findings: Sequence[_Finding]) -> str:
    alike = [finding.reason for finding in findings if finding.verdict is worst.verdict]
    if worst.verdict is not Verdict.PASS:
        alike.insert(0, alike.pop(alike.index(worst.reason)))
    spelt_out = "; ".join(alike[:_REASONS_SPELT_OUT])
    more = len(alike) - _REASONS_SPELT_OUT
    return f"{spelt_out}; and {more} more" if more > 0 else spelt_out


def _sample_count(evidence: CriterionEvidence) -> int:
    if evidence.samples is not None:
        return evidence.samples
    return max((m.samples for m in evidence.measurements), default=0) or len(evidence.checks)
