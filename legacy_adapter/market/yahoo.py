"""Yahoo's chart answers: quotes adjusted for splits alone, `adjclose` for dividends too, nulls where it knows nothing.

Source: the form of `query1.finance.yahoo.com/v8/finance/chart`, which its clients (yfinance) read.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from legacy_adapter.market.answers import Answer, Refused, json_answer
from legacy_adapter.market.catalogue import Market
from legacy_adapter.market.listings import Kind, Listing, Region
from legacy_adapter.market.prices import Floats, History
from legacy_adapter.market.trading_days import FIRST_DAY, trading_days

_ZONES = {Region.US: ("America/New_York", time(9, 30), "USD"), Region.AU: ("Australia/Sydney", time(10), "AUD")}
_KINDS = {Kind.EQUITY: "EQUITY", Kind.FUND: "ETF", Kind.BOND: "ETF", Kind.INDEX: "INDEX", Kind.CRYPTO: "CRYPTOCURRENCY"}
_RANGES = {"1d": 1, "5d": 5, "1mo": 30, "3mo": 91, "6mo": 182, "1y": 365, "2y": 730, "5y": 1826, "10y": 3652}
_PLACES = 6

Stamps = NDArray[np.int64]


def chart(market: Market, ticker: str, query: Mapping[str, str]) -> Answer:
    """`/v8/finance/chart/<ticker>`: days that open in [period1, period2), or the latest of a `range`.

    Raises:
        Refused: an unknown ticker, another interval than 1d, or a period that is no number.
    """
    listing = market.find(ticker)
    if listing is None:
        raise _refused(404, "Not Found", "No data found, symbol may be delisted")
    if query.get("interval", "1d") != "1d":
        raise _refused(422, "Unprocessable Entity", "Invalid input - only interval=1d is served")
    history = market.history(listing.ticker)
    opens = _opens(listing.region)[np.searchsorted(trading_days(listing.region), history.days)]
    start, end = _period(market, query)
    found = _result(listing, market, history, opens, (opens >= start) & (opens < end), query.get("events", ""))
    return json_answer({"chart": {"result": [found], "error": None}})


def _result(  # noqa: PLR0913, PLR0917 - the parts of one answer
    listing: Listing, market: Market, history: History, opens: Stamps, shown: NDArray[np.bool_], events: str
) -> dict[str, object]:
    meta = _meta(listing, market)
    if not shown.any():  # Yahoo leaves the lists out
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    shares = history.split_factor
    quote = {name: _rounded(getattr(history, name) * shares, shown) for name in ("open", "high", "low", "close")}
    volume = [None if np.isnan(value) else int(value) for value in (history.volume / shares)[shown]]
    adjusted = _rounded(history.close * history.full_factor, shown)
    result: dict[str, object] = {"meta": meta, "timestamp": opens[shown].tolist()}
    told = _events(history, shares, opens, shown, events)
    if told:
        result["events"] = told
    result["indicators"] = {"quote": [{**quote, "volume": volume}], "adjclose": [{"adjclose": adjusted}]}
    return result


def _events(
    history: History, shares: Floats, opens: Stamps, shown: NDArray[np.bool_], asked: str
) -> dict[str, dict[str, object]]:
    wanted = {name.strip() for name in asked.split(",")}
    told: dict[str, dict[str, object]] = {}
    paid = np.flatnonzero(shown & (history.dividend > 0)) if "div" in wanted else ()
    if len(paid):
        amounts = np.round(history.dividend * shares, _PLACES)
        told["dividends"] = {str(opens[day]): {"amount": float(amounts[day]), "date": int(opens[day])} for day in paid}
    divided = np.flatnonzero(shown & (history.split != 1)) if wanted & {"split", "splits"} else ()
    if len(divided):
        told["splits"] = {str(opens[day]): _split(float(history.split[day]), int(opens[day])) for day in divided}
    return told


def _split(ratio: float, opened: int) -> dict[str, object]:
    new, old = (ratio, 1.0) if ratio >= 1 else (1.0, 1 / ratio)
    return {"date": opened, "numerator": new, "denominator": old, "splitRatio": f"{new:g}:{old:g}"}


def _rounded(values: Floats, shown: NDArray[np.bool_]) -> list[float]:
    rounded: list[float] = np.round(values[shown], _PLACES).tolist()
    return rounded


def _meta(listing: Listing, market: Market) -> dict[str, object]:
    zone, _, currency = _ZONES[listing.region]
    offset = ZoneInfo(zone).utcoffset(datetime.combine(market.last_day, time(12)))
    return {
        "currency": currency,
        "symbol": listing.ticker,
        "exchangeName": "ASX" if listing.region is Region.AU else "NMS",
        "instrumentType": _KINDS[listing.kind],
        "gmtoffset": int(offset.total_seconds()) if offset else 0,
        "exchangeTimezoneName": zone,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": [*_RANGES, "max"],
    }


def _period(market: Market, query: Mapping[str, str]) -> tuple[int, int]:
    after_last = market.last_day + timedelta(days=1)
    if "period1" not in query and "period2" not in query:
        asked = query.get("range", "1d")
        first = FIRST_DAY if asked == "max" else after_last - timedelta(days=_days(asked))
        return _midnight(first), _midnight(after_last)
    try:
        return int(query.get("period1", 0)), int(query.get("period2", _midnight(after_last)))
    except ValueError:
        raise _refused(400, "Bad Request", "Invalid input - period1 and period2 are seconds since 1970") from None


def _days(name: str) -> int:
    if name not in _RANGES:
        raise _refused(422, "Unprocessable Entity", f"Invalid input - range={name} is not supported")
    return _RANGES[name]


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())


@lru_cache(maxsize=2)
def _opens(region: Region) -> Stamps:
    """When the exchange opened, on each of its trading days."""
    zone, at, _ = _ZONES[region]
    local = ZoneInfo(zone)
    days: list[date] = trading_days(region).tolist()
    return np.array([int(datetime.combine(day, at, tzinfo=local).timestamp()) for day in days], dtype=np.int64)


def _refused(status: int, code: str, description: str) -> Refused:
    return Refused(status, {"chart": {"result": None, "error": {"code": code, "description": description}}})
