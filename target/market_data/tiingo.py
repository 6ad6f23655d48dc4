"""Tiingo's end-of-day prices: how they are asked for and read. Source: Tiingo's REST documentation, End-of-Day."""

from collections.abc import Iterator, Mapping
from datetime import date
from urllib.parse import quote

from target.market_data.bars import DailyBar, RejectedRow, Source, TickerOutcome
from target.market_data.rows import Malformed, Row, as_adjusted, as_price, as_volume, checked, outcome_of


def path_of(ticker: str) -> str:
    """Return the path below the source's address."""
    return f"/tiingo/daily/{quote(ticker, safe='')}/prices"


def query_of(first: date, last: date) -> dict[str, str]:
    """Return the query for the days from `first` to `last`, both included."""
    return {"startDate": first.isoformat(), "endDate": last.isoformat()}


def read_prices(ticker: str, document: object, first: date, last: date) -> TickerOutcome:
    """Read an answer's JSON.

    Raises:
        Malformed: it is no list.
    """
    if not isinstance(document, list):
        raise Malformed("the answer is no list of days")
    return outcome_of(ticker, _rows(document), first, last)


def _rows(document: list[object]) -> Iterator[Row]:
    for entry in document:
        day = _day_of(entry)
        if day is None or not isinstance(entry, Mapping):
            yield RejectedRow(None, "the row has no readable date")
            continue
        try:
            yield _bar(day, entry)
        except ValueError as error:
            yield RejectedRow(day, str(error))


def _day_of(entry: object) -> date | None:
    try:
        text = entry["date"] if isinstance(entry, Mapping) else None
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except (KeyError, ValueError):
        return None


def _bar(day: date, entry: Mapping[str, object]) -> DailyBar:
    return checked(
        DailyBar(
            date=day,
            open=as_price(entry.get("open"), "open"),
            high=as_price(entry.get("high"), "high"),
            low=as_price(entry.get("low"), "low"),
            close=as_price(entry.get("close"), "close"),
            volume=as_volume(entry.get("volume")),
            adjusted_close=as_adjusted(entry.get("adjClose"), "adjClose"),
            adjusted_open=as_adjusted(entry.get("adjOpen"), "adjOpen"),
            source=Source.TIINGO,
        )
    )
