"""Prices of many tickers over the same days, as every figure of this package takes them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Dates = NDArray[np.datetime64]

_LEAST_PRICE, _MOST_PRICE = 1e-9, 1e12


@dataclass(frozen=True, slots=True, eq=False)
class PriceTable:
    """One price for each day and ticker; NaN where there is none.

    Guarantees: `dates` (n,) is datetime64[D], ascending and unique; `values` (n, m) is float64 with one column for
    each of the m different `tickers`; both arrays are read-only.

    Raises:
        ValueError: the parts don't fit together.
    """

    dates: Dates
    tickers: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        """Refuse what breaks the guarantees and freeze the arrays."""
        # Copies, so that freezing them never freezes an array of the caller's.
        dates = np.array(self.dates, dtype="datetime64[D]")
        values = np.array(self.values, dtype=np.float64, order="K")
        if dates.ndim != 1 or values.shape != (len(dates), len(self.tickers)):
            raise ValueError(f"{values.shape} prices don't fit {len(dates)} days and {len(self.tickers)} tickers")
        if not bool((np.diff(dates) > np.timedelta64(0, "D")).all()):
            raise ValueError("Days of a price table must ascend without repeats: sort and merge them first")
        if len(set(self.tickers)) != len(self.tickers):
            raise ValueError("Tickers of a price table must differ: merge the columns of equal ones first")
        for name, array in (("dates", dates), ("values", values)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def empty(cls, tickers: Sequence[str] = ()) -> Self:
        """Return a table without days."""
        return cls(np.array([], dtype="datetime64[D]"), tuple(tickers), np.empty((0, len(tickers))))

    @classmethod
    def from_series(cls, series: Mapping[str, Mapping[date, float]]) -> Self:
        """Return the table over the union of all days, columns in the order of `series`."""
        days = np.array(sorted({day for column in series.values() for day in column}), dtype="datetime64[D]")
        values = np.full((len(days), len(series)), np.nan)
        for index, column in enumerate(series.values()):
            rows = np.searchsorted(days, np.array(list(column), dtype="datetime64[D]"))
            values[rows, index] = list(column.values())
        return cls(days, tuple(series), values)

    def __len__(self) -> int:
        """Return the number of days."""
        return len(self.dates)

    def __eq__(self, other: object) -> bool:
        """Equal days, tickers in equal order, and equal prices, NaN being equal to NaN."""
        if not isinstance(other, PriceTable):
            return NotImplemented
        return (
            self.tickers == other.tickers
            and np.array_equal(self.dates, other.dates)
            and np.array_equal(self.values, other.values, equal_nan=True)
        )

    def __hash__(self) -> int:
        """Refuse: arrays are no key.

        Raises:
            TypeError: always.
        """
        raise TypeError("A price table cannot be a key")

    def column(self, ticker: str) -> Floats:
        """Return one ticker's prices, (n,).

        Raises:
            KeyError: the ticker has no column.
        """
        if ticker not in self.tickers:
            raise KeyError(ticker)
        return self.values[:, self.tickers.index(ticker)]

    def select(self, tickers: Iterable[str]) -> Self:
        """Return the columns of these tickers, in their order; those without a column are left out."""
        position = {ticker: index for index, ticker in enumerate(self.tickers)}
        kept = [ticker for ticker in dict.fromkeys(tickers) if ticker in position]
        return type(self)(self.dates, tuple(kept), self.values[:, [position[ticker] for ticker in kept]])

    def usable(self) -> Self:
        """Return the table with NaN for what cannot be a price: zero, below it, or beyond any currency's range."""
        is_price = (self.values >= _LEAST_PRICE) & (self.values <= _MOST_PRICE)
        return self if is_price.all() else type(self)(self.dates, self.tickers, np.where(is_price, self.values, np.nan))

    def between(self, start: date | None = None, end: date | None = None) -> Self:
        """Return the days from `start` to `end`, both included; None leaves that side open."""
        first = 0 if start is None else int(np.searchsorted(self.dates, np.datetime64(start, "D")))
        last = len(self) if end is None else int(np.searchsorted(self.dates, np.datetime64(end, "D"), side="right"))
        return type(self)(self.dates[first:last], self.tickers, self.values[first:last])
