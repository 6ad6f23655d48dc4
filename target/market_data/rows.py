"""From an untrusted row to a bar: what is not plainly a price is rejected, with the reason."""

import math
from collections.abc import Iterable, Sequence
from datetime import date

from target.market_data.bars import DailyBar, FailureClass, RejectedRow, TickerOutcome

PLACES = 4
"""Decimals that `market_data` holds, NUMERIC(12, 4); finer contradictions between prices are the source's noise."""
LARGEST_PRICE = 99_999_999.9999
SMALLEST_PRICE = 1e-4
_ABOVE_ZERO = 5e-324
_LARGEST_VOLUME = 2**63 - 1

Row = DailyBar | RejectedRow


class Malformed(Exception):
    """The answer as a whole is not what the source documents."""


def as_price(value: object, name: str, *, smallest: float = SMALLEST_PRICE) -> float:
    """Return the value as a price.

    Raises:
        ValueError: no number, not finite, or outside of what can be stored.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is missing" if value is None else f"{name} is no number")
    if not math.isfinite(value):
        raise ValueError(f"{name} is not finite")
    if not smallest <= value <= LARGEST_PRICE:
        raise ValueError(f"{name} is not above zero" if value <= 0 else f"{name} is out of range")
    return float(value)


def as_adjusted(value: object, name: str) -> float | None:
    """Return the value as an adjusted price, which may be tiny after many splits; None stays None.

    Raises:
        ValueError: as `as_price`.
    """
    return None if value is None else as_price(value, name, smallest=_ABOVE_ZERO)


def as_volume(value: object) -> int:
    """Return the value as a number of shares; a fraction, as coins have it, is rounded.

    Raises:
        ValueError: no number, not finite, negative, or beyond 64 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("volume is missing" if value is None else "volume is no number")
    if not math.isfinite(value):
        raise ValueError("volume is not finite")
    if not 0 <= value <= _LARGEST_VOLUME:
        raise ValueError("volume is negative" if value < 0 else "volume is out of range")
    return round(value)


def checked(bar: DailyBar) -> DailyBar:
    """Return the bar.

    Raises:
        ValueError: its prices contradict each other.
    """
    opened, high, low, close = (round(price, PLACES) for price in bar[1:5])
    if low > min(opened, high, close):
        raise ValueError("low is above another price")
    if high < max(opened, close):
        raise ValueError("high is below another price")
    return bar


def outcome_of(ticker: str, rows: Iterable[Row], first: date, last: date) -> TickerOutcome:
    """Sort rows into bars of the days asked for, by date, and rejected ones; of one date twice, the first counts."""
    bars: dict[date, DailyBar] = {}
    rejected: list[RejectedRow] = []
    for row in rows:
        if row.date is not None and not first <= row.date <= last:
            continue
        if isinstance(row, RejectedRow):
            rejected.append(row)
        elif row.date in bars:
            rejected.append(RejectedRow(row.date, "the date comes twice"))
        else:
            bars[row.date] = row
    return TickerOutcome(
        ticker=ticker,
        bars=tuple(bars[day] for day in sorted(bars)),
        failure=_failure(bars, rejected),
        rejected=tuple(rejected),
    )


def _failure(bars: dict[date, DailyBar], rejected: Sequence[RejectedRow]) -> FailureClass | None:
    if bars:
        return None
    return FailureClass.MALFORMED if rejected else FailureClass.EMPTY
