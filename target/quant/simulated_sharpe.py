"""The probabilities that the legacy gives a Sharpe ratio that comes without returns: from returns that it draws.

LEGACY-PARITY: section 4.9. The draw is the same in every process, its moments stand for those that nobody told, and
the formula is not that of `significance`: kurtosis is already the excess when 3 is taken off, and ratio and greatest
ratio of the trials are compared without the deviation among the trials.
"""

from dataclasses import dataclass

import numpy as np

from target.quant.prices import Floats
from target.quant.significance import expected_maximum, normal_cdf

FEWEST_DEFLATED = 10
"""Below so many samples the legacy deflates to zero."""

MOST_SAMPLES = 1_000_000
"""A draw of 8 MB and some 40 ms; nobody has as many days."""

_SEED, _MEAN, _DEVIATION = 42, 0.001, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class SharpeProbabilities:
    """Both NaN where the ratio is zero, not finite, or so great that rounding leaves the draw no deviation."""

    probabilistic: float
    deflated: float


def judge_sharpe(sharpe: float, samples: int, trials: int) -> SharpeProbabilities:
    """Return the probabilities of a ratio over so many samples, found in so many trials.

    Below two samples the first is one half, below ten the second is zero. The sign of the ratio is lost.

    Raises:
        ValueError: negative `samples`, or fewer than one trial where there are ten samples.
    """
    if samples < 2:
        if samples < 0:
            raise ValueError(f"There cannot be {samples} samples")
        return SharpeProbabilities(probabilistic=0.5, deflated=0.0)
    with np.errstate(all="ignore"):
        returns = _draw(sharpe, samples)
        ratio, deviation = returns.mean() / returns.std(ddof=1), _deviation(returns)
        greatest = expected_maximum(trials) if samples >= FEWEST_DEFLATED else np.inf
        return SharpeProbabilities(
            probabilistic=normal_cdf(float(ratio / deviation)),
            deflated=normal_cdf(float((ratio - greatest) / deviation)) if samples >= FEWEST_DEFLATED else 0.0,
        )


def _draw(sharpe: float, samples: int) -> Floats:
    returns = np.random.RandomState(_SEED).normal(_MEAN, _DEVIATION, samples)
    mean = returns.mean()
    # numpy's division: a ratio of zero gives infinities, then NaN, instead of an exception
    scaled: Floats = (returns - mean) / returns.std(ddof=1) * (mean / np.float64(sharpe)) + mean
    return scaled


def _deviation(returns: Floats) -> np.float64:
    if returns.std() <= np.finfo(np.float64).eps * abs(returns.mean()):
        return np.float64(np.nan)
    apart = returns - returns.mean()
    variance = (apart**2).mean()
    skewness, excess = (apart**3).mean() / variance**1.5, (apart**4).mean() / variance**2 - 3
    return np.float64(np.sqrt((1 + 0.5 * skewness**2 - (excess - 3) / 4) / (len(returns) - 1)))
