"""Prices to compute with: random walks that repeat for the same seed."""

from collections.abc import Sequence

import numpy as np

from target.quant.prices import PriceTable
from target.quant.returns import Returns, daily_returns

FIRST_DAY = np.datetime64("2020-01-01", "D")


def weekdays(count: int, first: np.datetime64 = FIRST_DAY) -> np.typing.NDArray[np.datetime64]:
    """`count` days from `first` on, Monday to Friday."""
    return np.busday_offset(first, np.arange(count), roll="forward").astype("datetime64[D]")


def random_walk(days: int, tickers: Sequence[str], *, seed: int = 1, missing: float = 0.0) -> PriceTable:
    """Prices that share a common factor, so that they are correlated; a share of them is missing."""
    random = np.random.default_rng(seed)
    common = random.normal(0.0003, 0.008, (days, 1))
    steps = common * random.uniform(0.2, 1.5, len(tickers)) + random.normal(0.0002, 0.01, (days, len(tickers)))
    values = 100 * np.exp(np.cumsum(steps, axis=0))
    values[random.random(values.shape) < missing] = np.nan
    return PriceTable(weekdays(days), tuple(tickers), values)


def random_returns(days: int, count: int, *, seed: int = 1) -> Returns:
    """Returns of `count` correlated assets."""
    return daily_returns(random_walk(days + 1, [f"T{number}" for number in range(count)], seed=seed))
