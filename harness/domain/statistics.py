"""Bounds that hold for any distribution: order statistics for percentiles, Clopper-Pearson for rates.

Every bound is one-sided at the given confidence. So 59 samples are the fewest that can bound a p95 from above
at 95 %, and 299 the fewest for a p99.

Source: Hahn and Meeker, Statistical Intervals, chapters 5 (order statistics) and 6 (binomial).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
_BISECTION_STEPS = 80
_ROUNDING = 1e-6
"""Keeps 2,400.0000000001 samples from becoming 2,401."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An estimate with its one-sided bounds; None where the samples are too few to give that one."""

    value: float
    lower: float | None
    upper: float | None
    samples: int


def percentile_bounds(samples: Sequence[float], quantile: float, confidence: float = CONFIDENCE) -> Bounds:
    """The nearest-rank percentile with order-statistic bounds; a failure counts as `math.inf`.

    Args:
        samples: at least one figure, in any order, without NaN.
        quantile: strictly between 0 and 1, such as 0.99.

    Raises:
        ValueError: there are no samples, one is NaN, or the quantile is out of range.
    """
    if not samples or any(math.isnan(sample) for sample in samples):
        raise ValueError("a percentile needs samples, none of them NaN")
    if not 0 < quantile < 1:
        raise ValueError(f"the quantile {quantile} is not between 0 and 1")
    ordered = sorted(samples)
    count = len(ordered)
    low, high = _bounding_ranks(count, quantile, confidence)
    return Bounds(
        value=ordered[max(1, math.ceil(quantile * count)) - 1],
        lower=ordered[low - 1] if low >= 1 else None,
        upper=ordered[high - 1] if high <= count else None,
        samples=count,
    )


def samples_for_percentile(quantile: float, confidence: float = CONFIDENCE) -> int:
    """The fewest samples whose greatest bounds that percentile from above: 59 for p95, 299 for p99."""
    return math.ceil(math.log(1 - confidence) / math.log(quantile))


def rate_bounds(failures: int, trials: int, confidence: float = CONFIDENCE) -> Bounds:
    """The failure rate with its Clopper-Pearson bounds.

    Raises:
        ValueError: there are no trials, or more failures than trials.
    """
    if trials < 1 or not 0 <= failures <= trials:
        raise ValueError(f"{failures} failures of {trials} trials is no rate")
    tail = 1 - confidence
    lower = 0.0 if failures == 0 else _solve(lambda rate: 1 - _cdf(failures - 1, trials, rate) >= tail)
    upper = 1.0 if failures == trials else _solve(lambda rate: _cdf(failures, trials, rate) <= tail)
    return Bounds(value=failures / trials, lower=lower, upper=upper, samples=trials)


def trials_for_rate(rate: float, confidence: float = CONFIDENCE) -> int:
    """The fewest trials without a failure that bound the failure rate under `rate`: 2,995 for 0.1 %."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate))


def samples_to_settle(bounds: Bounds, target: float) -> int | None:
    """About how many samples would put `target` outside the interval; None where no number can be given.

    An interval narrows with the square root of the sample count, so the half that reaches over the target has
    to shrink to the distance between estimate and target.
    """
    end = bounds.upper if bounds.value <= target else bounds.lower
    distance = abs(target - bounds.value)
    if end is None or distance == 0 or not math.isfinite(end) or not math.isfinite(bounds.value):
        return None
    needed = bounds.samples * (abs(end - bounds.value) / distance) ** 2
    return max(bounds.samples + 1, math.ceil(needed - _ROUNDING))


def _bounding_ranks(count: int, quantile: float, confidence: float) -> tuple[int, int]:
    """Ranks (from 1) of the order statistics that bound the percentile; 0 and count + 1 where there is none."""
    low, high, at_most = 0, count + 1, 0.0
    for rank in range(1, count + 1):
        at_most += _pmf(rank - 1, count, quantile)
        if at_most <= 1 - confidence:
            low = rank
        if at_most >= confidence:
            high = rank
            break
    return low, high


def _cdf(successes: int, trials: int, rate: float) -> float:
    return math.fsum(_pmf(k, trials, rate) for k in range(successes + 1))


def _pmf(successes: int, trials: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return 1.0 if successes == trials * rate else 0.0
    ways = math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    return math.exp(ways + successes * math.log(rate) + (trials - successes) * math.log1p(-rate))


def _solve(holds: Callable[[float], bool]) -> float:
    """The least rate from which `holds` is true, which it then is up to 1."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTION_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
