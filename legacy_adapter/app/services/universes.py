"""The universe registry (contract section 4.4)."""

import csv
import io
import logging
from functools import lru_cache
from typing import Any

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.settings import get_settings

_LISTED_ONLINE = "SPX500"
_INFO = ("name", "description", "region", "asset_class")
_logger = logging.getLogger(__name__)


class UnknownUniverseError(ValueError):
    """No universe of that key, or none in that region."""


def universe_keys() -> list[str]:
    """Keys in registry order; case-sensitive."""
    return [entry["key"] for entry in load_data("universes")]


def universe_tickers(key: str) -> list[str]:
    """Tickers of a universe.

    Raises:
        UnknownUniverseError: no such key.
    """
    entry = _entry(key)
    return _spx500_tickers() if key == _LISTED_ONLINE else list(entry["tickers"])


def universe_info(key: str) -> dict[str, Any]:
    """Name, description, region, class, number of tickers, and the key last.

    Raises:
        UnknownUniverseError: no such key.
    """
    entry = _entry(key)
    info = {name: entry[name] for name in _INFO}
    return info | {"ticker_count": len(universe_tickers(key)), "key": key}


def universes_in(region: str) -> list[dict[str, Any]]:
    """Universes of a region, in registry order.

    Raises:
        UnknownUniverseError: no universe lies there; the regions are told in hash order.
    """
    entries = load_data("universes")
    found = [universe_info(entry["key"]) for entry in entries if entry["region"] == region]
    if not found:
        regions = list({entry["region"] for entry in entries})
        raise UnknownUniverseError(f"No universes found for region '{region}'. Available: {regions}")
    return found


def _entry(key: str) -> dict[str, Any]:
    for entry in load_data("universes"):
        if entry["key"] == key:
            found: dict[str, Any] = entry
            return found
    raise UnknownUniverseError(f"Unknown universe '{key}'. Available: {universe_keys()}")


@lru_cache
def _spx500_tickers() -> list[str]:
    # Whatever the first use finds stays for the life of the process: the public list, or the fixed one.
    import httpx  # noqa: PLC0415 - keeps the start quick

    try:
        return _fetch_spx500()
    except (httpx.HTTPError, KeyError, ValueError) as error:
        _logger.warning("the S&P 500 list cannot be read (%s), using the fixed one", type(error).__name__)
        return list(_entry(_LISTED_ONLINE)["tickers"])


def _fetch_spx500() -> list[str]:
    import httpx  # noqa: PLC0415

    answer = httpx.get(get_settings().SPX500_LIST_URL, timeout=10.0, follow_redirects=True)
    answer.raise_for_status()
    symbols = {row["Symbol"].replace(".", "-") for row in csv.DictReader(io.StringIO(answer.text))}
    if not symbols:
        raise ValueError("the list is empty")
    return sorted(symbols)
