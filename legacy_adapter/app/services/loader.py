"""The Parquet price cache (contract section 5): two wide files, all tickers in the "us" ones."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.services.cache_files import CACHE_FOLDER
from legacy_adapter.app.services.market_sources import fetch_all, fetch_tiingo, fetch_yahoo
from legacy_adapter.app.settings import get_settings

DEFAULT_TICKERS: list[str] = load_data("pipeline_tickers")
_START = date(2005, 1, 1)
_FILES = {"Close": "us_prices_close.parquet", "Open": "us_prices_open.parquet"}


async def refresh_cache(tickers: Sequence[str], use_cache: bool) -> None:
    """Fetches on the event loop, after the answer."""
    load_prices(tickers, use_cache=use_cache)


def load_prices(tickers: Sequence[str], *, use_cache: bool = True) -> dict[str, pd.DataFrame]:
    """Closes and opens of the tickers, fetched where the cache lacks the column.

    LEGACY-PARITY: section 5, columns that are present are never extended, and without the cache the files are
    overwritten with only the tickers asked for; the two files are not written atomically.

    Raises:
        KeyError: a ticker is neither cached nor could be fetched.
    """
    cached = {kind: _read(name) for kind, name in _FILES.items()} if use_cache else {}
    known = cached["Close"].columns if cached else pd.Index([])
    absent = list({ticker for ticker in tickers if ticker not in known})
    if absent:
        fetched = _fetch(absent)
        for kind, name in _FILES.items():
            frame = _merge(cached[kind], fetched[kind]) if cached else fetched[kind]
            cached[kind] = frame
            _write(frame, name)
    return {kind: frame[list(tickers)] for kind, frame in cached.items()}


def _fetch(tickers: Sequence[str]) -> dict[str, pd.DataFrame]:
    start, end = _START, date.today()
    us = [ticker for ticker in tickers if get_settings().TIINGO_API_KEY and not ticker.endswith(".AX")]
    frames = fetch_all(us, start, end, fetch_tiingo) if us else {}
    missing = [ticker for ticker in tickers if ticker not in frames]
    frames |= fetch_all(missing, start, end, fetch_yahoo) if missing else {}
    return {kind: _wide({ticker: frame[kind] for ticker, frame in frames.items()}) for kind in _FILES}


def _wide(columns: dict[str, pd.Series]) -> pd.DataFrame:
    frame = pd.DataFrame(columns, dtype="float64")
    frame.index = pd.DatetimeIndex(frame.index, name="Date").as_unit("ns")
    frame.columns.name = "Ticker"
    return frame.sort_index()


def _merge(cached: pd.DataFrame, fetched: pd.DataFrame) -> pd.DataFrame:
    merged = pd.concat([cached, fetched], axis=1)
    return merged.loc[:, ~merged.columns.duplicated()]


def _read(name: str) -> pd.DataFrame:
    path = CACHE_FOLDER / name
    return pd.read_parquet(path) if path.exists() else _wide({})


def _write(frame: pd.DataFrame, name: str) -> None:
    Path(CACHE_FOLDER).mkdir(exist_ok=True)
    frame.to_parquet(CACHE_FOLDER / name, compression="snappy")
