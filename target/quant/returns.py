"""From prices to daily returns: which columns and days count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from target.quant.prices import Dates, Floats, PriceTable

TRADING_DAYS = 252
"""Days of a year; every annual figure is scaled by it."""

RISK_FREE = 0.04
"""Annual return of what is safe, as a ratio."""

_FEWEST_PRESENT = 0.7
_FEWEST_RETURNS = 2


class NoPrices(ValueError):
    """No price is left to compute with. The text is the contract's."""

    def __init__(self) -> None:
        super().__init__("Failed to fetch price data")


class ShortHistory(ValueError):
    """There are prices, but too few days on which all tickers have one."""


class MotionlessPrices(ValueError):
    """The price of an asset never moves, so that nothing can be weighted by its volatility."""

    def __init__(self, tickers: Sequence[str]) -> None:
        super().__init__(f"The price of {', '.join(tickers)} never moves in these days: leave it out")


@dataclass(frozen=True, slots=True, eq=False)
class Returns:
    """Daily returns as ratios, without a gap; `by_ticker` (m, n) has one contiguous row a ticker.

    The layout is part of the guarantee: sums over days add pairwise along a row, sums over tickers row after row.
    That is the order of the legacy's sums, and the last digits of its answers depend on it.
    """

    dates: Dates
    tickers: tuple[str, ...]
    by_ticker: Floats

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.dates)

    def only(self, mask: NDArray[np.bool_]) -> Self:
        """Return the tickers that the mask (m,) marks."""
        tickers = tuple(ticker for ticker, is_meant in zip(self.tickers, mask, strict=True) if is_meant)
        return type(self)(self.dates, tickers, self.by_ticker[mask])

    def last(self, days: int) -> Self:
        """Return the last `days` days, or all there are."""
        return type(self)(self.dates[-days:], self.tickers, np.ascontiguousarray(self.by_ticker[:, -days:]))

    def deviations(self) -> Floats:
        """Return each ticker's sample deviation of daily returns (m,), all above zero.

        Raises:
            MotionlessPrices: one is zero.
        """
        deviations: Floats = self.by_ticker.std(axis=1, ddof=1)
        if not deviations.all():
            raise MotionlessPrices(self.only(deviations == 0).tickers)
        return deviations


class CleanPrices(NamedTuple):
    """Prices worth computing with, and the returns of the days on which every ticker has two prices in a row."""

    prices: PriceTable
    returns: Returns


def clean_prices(prices: PriceTable) -> PriceTable:
    """Keep the columns with a usable price on at least 70 % of the days, then the days with any.

    Raises:
        NoPrices: nothing is left.

    Source: contract section 4.5, pipeline step 1.
    """
    if not len(prices) or not prices.tickers:
        raise NoPrices
    prices = prices.usable()
    present = ~np.isnan(prices.values)
    columns = present.mean(axis=0) >= _FEWEST_PRESENT
    days = present[:, columns].any(axis=1)
    if not days.any():
        raise NoPrices
    kept = tuple(ticker for ticker, is_kept in zip(prices.tickers, columns, strict=True) if is_kept)
    return PriceTable(prices.dates[days], kept, prices.values[days][:, columns])


def daily_returns(prices: PriceTable) -> Returns:
    """Return p(t) / p(t-1) - 1 of the days on which no ticker lacks either price.

    Raises:
        ShortHistory: fewer than two such days, too few for any deviation.
    """
    by_ticker = np.ascontiguousarray(prices.values.T)
    changes = by_ticker[:, 1:] / by_ticker[:, :-1] - 1
    complete = ~np.isnan(changes).any(axis=0)
    if complete.sum() < _FEWEST_RETURNS:
        raise ShortHistory(
            f"Only {int(complete.sum())} of {len(prices)} days have a return of every ticker: ask for more days, "
            "or for tickers that were listed together"
        )
    return Returns(prices.dates[1:][complete], prices.tickers, np.ascontiguousarray(changes[:, complete]))


def clean(prices: PriceTable) -> CleanPrices:
    """Return the cleaned prices with their returns.

    Raises:
        NoPrices, ShortHistory: too little is left.
    """
    kept = clean_prices(prices)
    return CleanPrices(kept, daily_returns(kept))


def change_over(prices: PriceTable, days: int, *, skip: int = 0) -> Floats:
    """Return each ticker's change, as a ratio, over the `days` that end `skip` days before the last; NaN if unknown.

    Raises nothing: a history too short for it is NaN throughout.
    """
    first, last = len(prices) - 1 - days, len(prices) - 1 - skip
    if first < 0:
        return np.full(len(prices.tickers), np.nan)
    change: Floats = prices.values[last] / prices.values[first] - 1
    return change
