"""Tiingo's end-of-day prices: US tickers only, raw and adjusted, null days left out.

Source: Tiingo's REST documentation, End-of-Day endpoint.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np

from legacy_adapter.market.answers import Answer, Refused, json_answer
from legacy_adapter.market.catalogue import Market
from legacy_adapter.market.listings import Kind, Region
from legacy_adapter.market.prices import Floats, History
from legacy_adapter.market.trading_days import FIRST_DAY

COVERED = frozenset({Kind.EQUITY, Kind.FUND, Kind.BOND})
"""Of the US; for all else there is Yahoo."""
_PLACES = 6


def daily_prices(market: Market, ticker: str, query: Mapping[str, str], token: str) -> Answer:
    """`/tiingo/daily/<ticker>/prices`: both dates inclusive; without a start, the latest day alone.

    Raises:
        Refused: no token, an unknown ticker, or a date that is none.
    """
    if not token:
        raise Refused(403, {"detail": "Please supply a token"})
    listing = market.find(ticker.upper())
    if listing is None or listing.region is not Region.US or listing.kind not in COVERED:
        raise Refused(404, {"detail": f"Error: Ticker '{ticker}' not found"})
    history = market.history(listing.ticker)
    columns = _columns(history)
    known = ~np.isnan(history.close)
    end = _day(query, "endDate", market.last_day)
    shown = known & (history.days <= np.datetime64(end))
    if query.get("startDate"):
        shown &= history.days >= np.datetime64(_day(query, "startDate", FIRST_DAY))
    else:
        shown &= np.cumsum(shown[::-1])[::-1] == 1
    lists = [values[shown].tolist() for values in columns.values()]
    days = [f"{day}T00:00:00.000Z" for day in np.datetime_as_string(history.days[shown])]
    names = tuple(columns)
    rows = [{"date": day} | _row(names, values) for day, values in zip(days, zip(*lists, strict=True), strict=True)]
    return json_answer(rows)


def _columns(history: History) -> dict[str, Floats]:
    full, shares = history.full_factor, history.split_factor
    raw = {"close": history.close, "high": history.high, "low": history.low, "open": history.open}
    adjusted = {f"adj{name.title()}": np.round(values * full, _PLACES) for name, values in raw.items()}
    volumes = {"volume": history.volume}
    adjusted_volumes = {"adjVolume": np.round(history.volume / shares)}
    return raw | volumes | adjusted | adjusted_volumes | {"divCash": history.dividend, "splitFactor": history.split}


def _row(names: tuple[str, ...], values: tuple[float, ...]) -> dict[str, float | int]:
    return {
        name: int(value) if name.lower().endswith("volume") else value
        for name, value in zip(names, values, strict=True)
    }


def _day(query: Mapping[str, str], name: str, default: date) -> date:
    text = query.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Refused(400, {"detail": f"Error: {name} '{text}' is not a date of the form YYYY-MM-DD"}) from None
