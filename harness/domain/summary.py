"""Measurements out of raw samples: percentiles with bounds, and before-against-after ratios."""

import math
import statistics
from collections.abc import Sequence

from harness.domain.measurement import Measurement
from harness.domain.statistics import percentile_bounds

# Student's t, two-sided 95 %, by degrees of freedom from 1. Source: any table of the distribution.
_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)


def summarise_percentile(
    samples: Sequence[float], quantile: float, *, name: str, subject: str, source: str
) -> Measurement:
    """The percentile of `samples` in milliseconds with its order-statistic bounds; a failure is `math.inf`.

    Raises:
        ValueError: there are no samples.
    """
    bounds = percentile_bounds(samples, quantile)
    return Measurement(
        name=name,
        subject=subject,
        value=bounds.value,
        unit="ms",
        samples=bounds.samples,
        lower=bounds.lower,
        upper=bounds.upper,
        source=source,
    )


def summarise_ratio(
    before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], *, name: str, subject: str, source: str
) -> Measurement | None:
    """The median of `after` over that of `before`, paired by round: a geometric mean with a t interval.

    The round is the unit of replication, since requests of one round share whatever the machine was doing. None
    where fewer than two rounds have finite medians on both sides.
    """
    logs = [math.log(b / a) for a, b in zip(_medians(before), _medians(after), strict=True) if _are_usable(a, b)]
    if len(logs) < 2:
        return None
    centre = statistics.fmean(logs)
    degrees = len(logs) - 1
    t = _T_95[min(degrees, len(_T_95)) - 1]
    half = t * statistics.stdev(logs) / math.sqrt(len(logs))
    return Measurement(
        name=name,
        subject=subject,
        value=math.exp(centre),
        unit="ratio",
        samples=len(logs),
        lower=math.exp(centre - half),
        upper=math.exp(centre + half),
        source=source,
        note="paired by round",
    )


def _medians(rounds: Sequence[Sequence[float]]) -> list[float]:
    return [statistics.median(samples) if samples else math.inf for samples in rounds]


def _are_usable(before: float, after: float) -> bool:
    return before > 0 and after > 0 and math.isfinite(before) and math.isfinite(after)
