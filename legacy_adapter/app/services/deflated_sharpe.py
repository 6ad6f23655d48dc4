"""Probabilistic and deflated Sharpe ratios (contract section 4.9), with the original's slips."""

from typing import Any

_SEED = 42
_FEWEST = 10
_EULER_GAMMA = 0.5772156649


def simulated_returns(sharpe: float, samples: int) -> Any:
    """Seeded normal returns, spread so that mean over deviation is the Sharpe ratio asked for.

    A ratio of zero makes them NaN, and the sign is lost, as in the original. Reseeds numpy's global generator.

    Raises:
        ValueError: `samples` is negative.
    """
    import numpy as np  # noqa: PLC0415 - keeps the start quick

    np.random.seed(_SEED)
    returns = np.random.normal(0.001, 0.02, samples)
    if samples < 2:
        return returns
    mean = returns.mean()
    return (returns - mean) / returns.std(ddof=1) * (mean / sharpe) + mean


def probabilistic_sharpe(returns: Any) -> Any:
    """The probability that the true Sharpe ratio is above zero; one half below two samples."""
    from scipy.stats import norm  # noqa: PLC0415

    if len(returns) < 2:
        return 0.5
    return norm.cdf(_sharpe(returns) / _deviation(returns))


def deflated_sharpe(returns: Any, trials: int) -> Any:
    """The same above the greatest ratio that so many trials would show by luck; zero below ten samples.

    Raises:
        ZeroDivisionError: no trials.
    """
    import numpy as np  # noqa: PLC0415
    from scipy.stats import norm  # noqa: PLC0415

    if len(returns) < _FEWEST:
        return 0.0
    greatest = (1 - _EULER_GAMMA) * norm.ppf(1 - 1 / trials) + _EULER_GAMMA * norm.ppf(1 - 1 / (trials * np.e))
    return norm.cdf((_sharpe(returns) - greatest) / _deviation(returns))


def _sharpe(returns: Any) -> Any:
    return returns.mean() / returns.std(ddof=1)


def _deviation(returns: Any) -> Any:
    import numpy as np  # noqa: PLC0415
    from scipy.stats import kurtosis, skew  # noqa: PLC0415

    # Kurtosis is already the excess, and 3 is taken off a second time, as in the original.
    excess = kurtosis(returns)
    variance = (1 + 0.5 * skew(returns) ** 2 - (excess - 3) / 4) / (len(returns) - 1)
    return np.sqrt(variance)
