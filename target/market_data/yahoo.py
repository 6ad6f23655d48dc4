"""Yahoo's chart: how it is asked for and read.

Source: the form of `/v8/finance/chart`, version 8, as its public clients read it; Yahoo documents none.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import quote

from target.market_data.bars import DailyBar, RejectedRow, Source, TickerOutcome
from target.market_data.rows import Malformed, Row, as_adjusted, as_price, as_volume, checked, outcome_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST_OFFSET_S = 86_400
_LATEST_STAMP = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
_PLACES = 6


class _Columns(NamedTuple):
    """An answer's parallel lists."""

    stamps: list[object]
    open: list[object]
    high: list[object]
    low: list[object]
    close: list[object]
    volume: list[object]
    adjusted: list[object]


def path_of(ticker: str) -> str:
    """Return the path below the source's address."""
    return f"/v8/finance/chart/{quote(ticker, safe='')}"


def query_of(first: date, last: date) -> dict[str, str]:
    """Return the query for the days from `first` to `last` of any exchange on earth.

    Periods are instants, and an exchange's day begins up to a day before or after that of UTC: Sydney opens on the
    eve. So a day more on both sides is asked for, and what is too much is dropped by its own date.
    """
    periods = (_midnight(first - timedelta(days=1)), _midnight(last + timedelta(days=2)))
    return {"period1": str(periods[0]), "period2": str(periods[1]), "interval": "1d", "events": "div,splits"}


def read_chart(ticker: str, document: object, first: date, last: date) -> TickerOutcome:
    """Read an answer's JSON.

    Raises:
        Malformed: it has no chart, or lists of different lengths.
    """
    result = _result(document)
    if result.get("timestamp") is None:  # a range without trading: Yahoo leaves the lists out
        return outcome_of(ticker, (), first, last)
    return outcome_of(ticker, _rows(_columns(result), _offset_s(result)), first, last)


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())


def _result(document: object) -> Mapping[str, object]:
    match document:
        case {"chart": {"result": [dict(result), *_]}}:
            return result
        case _:
            raise Malformed("the answer has no chart")


def _offset_s(result: Mapping[str, object]) -> int:
    """Seconds by which the exchange's clock is ahead of UTC; summer time may be off by an hour, which no session is."""
    match result:
        case {"meta": {"gmtoffset": int(offset)}} if abs(offset) < _FARTHEST_OFFSET_S:
            return offset
        case _:
            raise Malformed("the answer does not say its exchange's time zone")


def _columns(result: Mapping[str, object]) -> _Columns:
    match result:
        case {"timestamp": list(stamps), "indicators": {"quote": [{**quotes}, *_], **indicators}}:
            named = [quotes.get(name) for name in ("open", "high", "low", "close", "volume")]
        case _:
            raise Malformed("the answer has no quotes")
    lists = [stamps, *(each if isinstance(each, list) else [] for each in named), _adjusted(indicators, len(stamps))]
    if any(len(each) != len(stamps) for each in lists):
        raise Malformed("the answer's lists differ in length")
    return _Columns(*lists)


def _adjusted(indicators: Mapping[object, object], size: int) -> list[object]:
    match indicators:
        case {"adjclose": [{"adjclose": list(adjusted)}, *_]}:
            return adjusted
        case _:
            return [None] * size


def _rows(columns: _Columns, offset_s: int) -> Iterator[Row]:
    for values in zip(*columns, strict=True):
        stamp = values[0]
        if not isinstance(stamp, int) or not 0 <= stamp < _LATEST_STAMP:
            yield RejectedRow(None, "the row has no readable time")
            continue
        if all(value is None for value in values[1:]):  # the exchange traded and Yahoo knows nothing: no row
            continue
        day = (_EPOCH + timedelta(seconds=stamp + offset_s)).date()
        try:
            yield _bar(day, values[1:])
        except ValueError as error:
            yield RejectedRow(day, str(error))


def _bar(day: date, values: tuple[object, ...]) -> DailyBar:
    names = ("open", "high", "low", "close")
    opened, high, low, close = (as_price(value, name) for name, value in zip(names, values, strict=False))
    adjusted = as_adjusted(values[5], "adjclose")
    # Yahoo adjusts the close alone; the open of the same day shares its factor.
    adjusted_open = None if adjusted is None else round(opened * adjusted / close, _PLACES)
    return checked(
        DailyBar(day, opened, high, low, close, as_volume(values[4]), adjusted, adjusted_open, Source.YFINANCE)
    )
