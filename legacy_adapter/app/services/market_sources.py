"""Daily prices from Yahoo's chart API and Tiingo's daily endpoint."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote

import httpx
import pandas as pd

from legacy_adapter.app.settings import get_settings

_WORKERS = 8
_DAY_S = 86_400
_logger = logging.getLogger(__name__)

Fetch = Callable[[httpx.Client, str, date, date], pd.DataFrame]


def fetch_yahoo(client: httpx.Client, ticker: str, start: date, end: date) -> pd.DataFrame:
    """Adjusted `Open` and `Close` by naive day of the exchange; `end` is exclusive.

    Raises:
        httpx.HTTPError, KeyError, ValueError: no answer, an error, or an answer of another form.
    """
    answer = client.get(
        f"{get_settings().YAHOO_BASE_URL.rstrip('/')}/v8/finance/chart/{quote(ticker, safe='')}",
        params={
            # In Sydney a day begins the day before by UTC: more is asked for, and cut by the exchange's own days.
            "period1": _epoch(start) - _DAY_S,
            "period2": _epoch(end) + _DAY_S,
            "interval": "1d",
            "events": "div,splits",
        },
    )
    answer.raise_for_status()
    (result,) = answer.json()["chart"]["result"]
    frame = _yahoo_frame(result)
    return frame[[start <= day.date() < end for day in frame.index]]


def fetch_tiingo(client: httpx.Client, ticker: str, start: date, end: date) -> pd.DataFrame:
    """Adjusted `Open` and `Close` by naive day.

    Raises:
        httpx.HTTPError, KeyError, ValueError: no answer, an error, or an answer of another form.
    """
    settings = get_settings()
    answer = client.get(
        f"{settings.TIINGO_BASE_URL.rstrip('/')}/tiingo/daily/{quote(ticker, safe='')}/prices",
        params={"startDate": start.isoformat(), "endDate": end.isoformat()},
        headers={"Authorization": f"Token {settings.TIINGO_API_KEY}"},
    )
    answer.raise_for_status()
    rows = answer.json()
    if not rows:
        raise ValueError("no prices")
    index = pd.to_datetime([row["date"][:10] for row in rows])
    columns = {"Open": [row["adjOpen"] for row in rows], "Close": [row["adjClose"] for row in rows]}
    return pd.DataFrame(columns, index=index, dtype="float64")


def fetch_all(tickers: Sequence[str], start: date, end: date, fetch: Fetch) -> dict[str, pd.DataFrame]:
    """What could be fetched; an unreachable source is given up at the first refused connection."""
    unreachable = threading.Event()

    def one(ticker: str) -> pd.DataFrame | None:
        if unreachable.is_set():
            return None
        try:
            return fetch(client, ticker, start, end)
        except httpx.TransportError as error:
            unreachable.set()
            _logger.warning("the price source is unreachable: %s", type(error).__name__)
        except (httpx.HTTPError, KeyError, ValueError, TypeError) as error:
            _logger.warning("no prices for %s: %s", ticker, type(error).__name__)
        return None

    with (
        httpx.Client(timeout=get_settings().MARKET_TIMEOUT_S) as client,
        ThreadPoolExecutor(max_workers=_WORKERS) as pool,
    ):
        frames = dict(zip(tickers, pool.map(one, tickers), strict=True))
    return {ticker: frame for ticker, frame in frames.items() if frame is not None and not frame.empty}


def _yahoo_frame(result: dict[str, Any]) -> pd.DataFrame:
    quotes = result["indicators"]["quote"][0]
    adjusted = result["indicators"]["adjclose"][0]["adjclose"]
    # A day is the exchange's own, not UTC's.
    offset = result["meta"].get("gmtoffset", 0)
    days = pd.to_datetime([stamp + offset for stamp in result["timestamp"]], unit="s").normalize()
    frame = pd.DataFrame(
        {"Open": quotes["open"], "Close": quotes["close"], "Adjusted": adjusted}, index=days, dtype="float64"
    )
    frame["Open"] = frame["Open"] * frame["Adjusted"] / frame["Close"]
    frame["Close"] = frame["Adjusted"]
    return frame[["Open", "Close"]]


def _epoch(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
