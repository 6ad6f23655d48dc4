"""The rows that a table of daily prices must have, told from the histories themselves and from no answer over HTTP."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from legacy_adapter.market.catalogue import Market
from legacy_adapter.market.listings import Listing, Region
from legacy_adapter.market.prices import History
from legacy_adapter.market.tiingo import COVERED

_PLACES = 6
"""Decimals that both sources give of an adjusted price."""
_STORED = Decimal("0.0001")

DailyRow = dict[str, str]
"""A row's columns as PostgreSQL prints them."""


def daily_rows(market: Market, first: date, last: date) -> Iterator[DailyRow]:
    """Every day of every ticker from `first` to `last`, both included, by ticker and date."""
    for ticker in market.tickers():
        listing = market.find(ticker)
        if listing is not None:
            yield from _rows(listing, market.history(ticker), first, last)


def _rows(listing: Listing, history: History, first: date, last: date) -> Iterator[DailyRow]:
    is_tiingo = listing.region is Region.US and listing.kind in COVERED
    # Tiingo's prices are those of the day; Yahoo counts all of them in shares of the last one.
    shares = np.ones(len(history.days)) if is_tiingo else history.split_factor
    adjusted = np.round(history.close * history.full_factor, _PLACES)
    shown = ~np.isnan(history.close)
    shown &= (history.days >= np.datetime64(first)) & (history.days <= np.datetime64(last))
    for day in np.flatnonzero(shown):
        prices = {
            name: _price(np.round(getattr(history, name)[day] * shares[day], _PLACES))
            for name in ("open", "high", "low", "close")
        }
        yield {
            "ticker": listing.ticker,
            "date": str(history.days[day]),
            **prices,
            "volume": str(int(history.volume[day] / shares[day])),
            "adjusted_close": _price(adjusted[day]),
            "source": "tiingo" if is_tiingo else "yfinance",
            "data_quality": "good",
        }


def _price(value: float) -> str:
    return str(Decimal(repr(float(value))).quantize(_STORED, ROUND_HALF_UP))
