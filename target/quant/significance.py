"""How likely a Sharpe ratio is more than luck.

Source: D. H. Bailey and M. López de Prado, "The deflated Sharpe ratio" (2014).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist, stdev

EULER_MASCHERONI = 0.5772156649
SIGNIFICANT_ABOVE, LIKELY_ABOVE = 0.95, 0.80


class Confidence(StrEnum):
    """A probability in a word."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Moments of `days` daily returns; `sharpe` is mean over deviation, `kurtosis` 3 for a normal distribution."""

    days: int
    sharpe: float
    skewness: float
    kurtosis: float


def probabilistic_sharpe(sample: Sample, benchmark: float = 0.0) -> float:
    """Return the probability that the true daily Sharpe ratio exceeds `benchmark`; NaN below two days."""
    if sample.days < 2:
        return math.nan
    spread = 1 - sample.skewness * sample.sharpe + (sample.kurtosis - 1) / 4 * sample.sharpe**2
    if not spread > 0:
        return math.nan
    return normal_cdf((sample.sharpe - benchmark) * math.sqrt((sample.days - 1) / spread))


def deflated_sharpe(sample: Sample, trial_sharpes: Sequence[float]) -> float:
    """Return the probability that the ratio exceeds the greatest that so many trials would show by luck.

    `trial_sharpes` are the daily ratios of all trials, this one included; equal ones are one trial.
    """
    trials = sorted(set(trial_sharpes))
    if len(trials) < 2:
        return probabilistic_sharpe(sample)
    return probabilistic_sharpe(sample, stdev(trials) * expected_maximum(len(trials)))


def expected_maximum(trials: int) -> float:
    """Return what the greatest of `trials` standard normal draws comes to on average; minus infinity for one.

    Raises:
        ValueError: fewer than one trial.
    """
    if trials < 1:
        raise ValueError(f"There is no greatest of {trials} trials")
    usual, rare = normal_quantile(1 - 1 / trials), normal_quantile(1 - 1 / (trials * math.e))
    return (1 - EULER_MASCHERONI) * usual + EULER_MASCHERONI * rare


def confidence_of(probability: float) -> Confidence:
    """Return HIGH above 0.95, MEDIUM above 0.80, else LOW, for NaN too."""
    if probability > SIGNIFICANT_ABOVE:
        return Confidence.HIGH
    return Confidence.MEDIUM if probability > LIKELY_ABOVE else Confidence.LOW


def normal_cdf(value: float) -> float:
    """Return the standard normal distribution at `value`; exact to rounding in both tails."""
    return math.erfc(-value / math.sqrt(2)) / 2


def normal_quantile(probability: float) -> float:
    """Return its inverse; infinite at 0 and 1."""
    if probability in {0, 1}:
        return math.inf if probability else -math.inf
    return NormalDist().inv_cdf(probability)
