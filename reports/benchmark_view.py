"""The user's benchmark table: what was stated, what was measured, what it means."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.domain.criterion import CriterionResult, Verdict
from harness.domain.measurement import BASELINE_SUBJECTS, Measurement, format_quantity
from harness.domain.phase import BenchmarkRow

BEFORE_SUBJECT = "legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure for people: `interval` and `samples` are empty for one that was not measured."""

    text: str
    is_measured: bool
    interval: str = ""
    samples: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkView:
    """A row of the table."""

    metric: str
    before: Figure
    after: Figure
    target: str
    verdict: Verdict
    criterion_id: str
    reason: str


def build_benchmarks(
    rows: Sequence[BenchmarkRow], measurements: Sequence[Measurement] | None, results: Sequence[CriterionResult]
) -> tuple[BenchmarkView, ...]:
    """Every row of the plan's table, measured or not."""
    return tuple(_row(row, measurements or (), results) for row in rows)


def _row(row: BenchmarkRow, measurements: Sequence[Measurement], results: Sequence[CriterionResult]) -> BenchmarkView:
    named = [measurement for measurement in measurements if measurement.name == row.measurement]
    before = next((figure for figure in named if figure.subject == BEFORE_SUBJECT), None)
    after = max((f for f in named if f.subject not in BASELINE_SUBJECTS), key=lambda f: f.value, default=None)
    result = next((result for result in results if result.id == row.criterion_id), None)
    return BenchmarkView(
        metric=row.metric,
        before=_figure(before, stated=row.before_stated),
        after=_figure(after, stated=""),
        target=row.target_stated,
        verdict=result.verdict if result else Verdict.INCONCLUSIVE,
        criterion_id=row.criterion_id,
        reason=result.reason if result else "the run did not judge it",
    )


def _figure(measurement: Measurement | None, *, stated: str) -> Figure:
    if measurement is None:
        words = {"": "not measured", "TBD": "not measured", "N/A": "not applicable"}
        return Figure(text=words.get(stated, f"{stated} (stated, not measured)"), is_measured=False)
    return Figure(
        text=format_quantity(measurement.value, measurement.unit),
        is_measured=True,
        interval=_interval(measurement),
        samples=f"n = {measurement.samples:,}",
    )


def _interval(measurement: Measurement) -> str:
    lower, upper = measurement.lower, measurement.upper
    if lower is None and upper is None:
        return "no interval"
    if upper is None or math.isinf(upper):
        return f"from {format_quantity(lower or 0.0, measurement.unit)}, no upper bound"
    if lower is None:
        return f"up to {format_quantity(upper, measurement.unit)}"
    low, high = format_quantity(lower, measurement.unit), format_quantity(upper, measurement.unit)
    shared = f" {high.rpartition(' ')[2]}"
    return f"{low.removesuffix(shared)} to {high}"
