"""The mean of a few figures, with its interval."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from harness.domain.statistics import Bounds

_STUDENT_95 = (6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833)
"""One-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom; the last serves for more, on the safe side."""


def mean_bounds(samples: Sequence[float]) -> Bounds:
    """Mean of samples that are roughly normal, with its one-sided 95 % bounds; a single one has none.

    Raises:
        ValueError: there are none.
    """
    if not samples:
        raise ValueError("no samples")
    if len(samples) == 1:
        return Bounds(value=samples[0], lower=None, upper=None, samples=1)
    reach = _STUDENT_95[min(len(samples), 10) - 2] * stdev(samples) / sqrt(len(samples))
    mean = fmean(samples)
    return Bounds(value=mean, lower=mean - reach, upper=mean + reach, samples=len(samples))
