"""What a source says about a ticker: bars, rows that are none, or the class of a failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Source(StrEnum):
    """Who is asked for a ticker; the words are those of `market_data.source` and of `/api/data/source`."""

    TIINGO = "tiingo"
    YFINANCE = "yfinance"


class FailureClass(StrEnum):
    """Why a ticker brought no bars. The first four may pass by themselves; asking again for the others is useless."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    REFUSED_CREDENTIALS = "refused_credentials"
    UNKNOWN_TICKER = "unknown_ticker"
    MALFORMED = "malformed"
    EMPTY = "empty"

    @property
    def may_pass(self) -> bool:
        """True where a later attempt may succeed."""
        return self in _PASSING


_PASSING = frozenset(
    {FailureClass.THROTTLED, FailureClass.SERVER_ERROR, FailureClass.TIMEOUT, FailureClass.REFUSED_CREDENTIALS}
)


class DailyBar(NamedTuple):
    """One trading day of one ticker, in its own currency. A tuple: years of a universe are millions of them.

    Guaranteed: prices are finite and above zero, low ≤ open, close ≤ high to four decimals, volume (shares) is ≥ 0.
    `close` is as the source gives it: Tiingo's is raw, Yahoo's has splits taken out. Adjusted prices have splits and
    dividends taken out as seen on the day of the request; they change when either happens.
    """

    date: date
    open: float
    high: float
    low: float
    close: float
    volume: int
    adjusted_close: float | None
    adjusted_open: float | None
    source: Source


class RejectedRow(NamedTuple):
    """A row of an answer that is no bar; `date` is None where even that cannot be read."""

    date: date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerOutcome:
    """All about one ticker: bars by ascending date, each date once, or a failure; rejected rows in either case."""

    ticker: str
    bars: tuple[DailyBar, ...] = ()
    failure: FailureClass | None = None
    rejected: tuple[RejectedRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOutcome:
    """Every ticker that was asked for is a key of either `bars` or `failures`."""

    bars: Mapping[str, tuple[DailyBar, ...]] = field(default_factory=dict)
    failures: Mapping[str, FailureClass] = field(default_factory=dict)
    rejected: Mapping[str, tuple[RejectedRow, ...]] = field(default_factory=dict)
