"""Closes and opens that belong together, and how newer ones come into them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from target.quant.prices import Dates, PriceTable
from target.storage.coverage import Coverage, Days
from target.storage.price_field import PriceField

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePair:
    """Both fields of the same tickers over the same days."""

    close: PriceTable
    open: PriceTable

    @classmethod
    def of(cls, tables: Mapping[PriceField, PriceTable]) -> "PricePair":
        """Return the pair; tables of different shapes come to the union of their days and tickers."""
        close, opened = tables[PriceField.CLOSE], tables[PriceField.OPEN]
        if close.tickers == opened.tickers and np.array_equal(close.dates, opened.dates):
            return cls(close=close, open=opened)
        return cls(close=merge_tables(close, _shape_of(opened), {}), open=merge_tables(opened, _shape_of(close), {}))

    def table(self, field: PriceField) -> PriceTable:
        """Return one field's table."""
        return self.close if field is PriceField.CLOSE else self.open

    def merged(self, newer: "PricePair", asked: Mapping[str, Sequence[Days]]) -> "PricePair":
        """Return the union of both; see `merge_tables`."""
        return PricePair(
            close=merge_tables(self.close, newer.close, asked),
            open=merge_tables(self.open, newer.open, asked),
        )

    def priced_days(self, ticker: str, *, until: date | None = None) -> tuple[date, date] | None:
        """Return the first and the last day that have both prices, the last one at most `until`; None if none has."""
        if ticker not in self.close.tickers or ticker not in self.open.tickers:
            return None
        has_both = ~np.isnan(self.close.column(ticker)) & ~np.isnan(self.open.column(ticker))
        days = self.close.dates[has_both]
        if until is not None:
            days = days[days <= np.datetime64(until, "D")]
        return (days[0].item(), days[-1].item()) if len(days) else None

    def coverage(self) -> dict[str, Coverage]:
        """Return what counts as covered where nothing says what was asked for, by ticker: the days with prices.

        Without the last one, which may have been running.
        """
        found = {ticker: self.priced_days(ticker) for ticker in self.close.tickers}
        return {ticker: _covered(*days) for ticker, days in found.items() if days is not None}


def merge_tables(older: PriceTable, newer: PriceTable, asked: Mapping[str, Sequence[Days]]) -> PriceTable:
    """Return all days and tickers of both, tickers sorted; a price of `newer` goes before one of `older`.

    Nothing that only one of them has is lost, but for older prices of the days in `asked`, by ticker: there `newer`
    alone counts, since the market has no such price any more.
    """
    days = np.union1d(older.dates, newer.dates)
    tickers = sorted({*older.tickers, *newer.tickers})
    position = {ticker: index for index, ticker in enumerate(tickers)}
    values = np.full((len(days), len(tickers)), np.nan, order="F")
    values[_cells(older, days, position)] = older.values
    for ticker in asked.keys() & set(newer.tickers):
        for stretch in asked[ticker]:
            first, last = (np.datetime64(day, "D") for day in stretch)
            values[(days >= first) & (days <= last), position[ticker]] = np.nan
    cells = _cells(newer, days, position)
    values[cells] = np.where(np.isnan(newer.values), values[cells], newer.values)
    return PriceTable(days, tuple(tickers), values)


def _covered(first: date, last: date) -> Coverage:
    before = last - timedelta(days=1)
    return Coverage(first=first, last=before, asked_until=before, asked_at=_LONG_AGO)


def _cells(table: PriceTable, days: Dates, position: Mapping[str, int]) -> tuple[NDArray[np.intp], ...]:
    """Where a table's prices are among all `days` and tickers."""
    columns = np.array([position[ticker] for ticker in table.tickers], dtype=np.intp)
    return np.ix_(np.searchsorted(days, table.dates), columns)


def _shape_of(table: PriceTable) -> PriceTable:
    return PriceTable(table.dates, table.tickers, np.full(table.values.shape, np.nan))
