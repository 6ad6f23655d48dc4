"""How old the cached prices are (contract section 4.6, data-status)."""

from datetime import date, datetime, timedelta
from typing import Any

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.services.result_files import find_json

_META_FILE = "cache/data_freshness_meta.json"
_MARKETS = {"sp500": "US", "nasdaq100": "US", "asx200": "AU", "momentum": "US"}
_DAY_IS_OUT_AT = {"US": 7, "AU": 16}
_SATURDAY = 5


def last_trading_date(market: str, now: datetime) -> date:
    """The last day with prices, told from the server's local hour; holidays are known for 2024 and 2025 only."""
    day = now.date()
    if now.hour < _DAY_IS_OUT_AT[market]:
        day -= timedelta(days=1)
    holidays = load_data("holidays")[market]
    while day.weekday() >= _SATURDAY or day.isoformat() in holidays:
        day -= timedelta(days=1)
    return day


def freshness() -> dict[str, Any]:
    """Each universe against the date that it should have."""
    now = datetime.now()
    meta = find_json(_META_FILE) or {}
    universes = [_universe(name, meta.get(name, {}), now) for name in _MARKETS]
    stale = sum(universe["needs_refresh"] for universe in universes)
    return {
        "check_time": now.isoformat(),
        "overall_status": _overall(stale, len(universes)),
        "universes": universes,
        "needs_refresh_count": stale,
    }


def markets() -> dict[str, Any]:
    """The last trading dates; no market is ever open."""
    now = datetime.now()
    return {
        market: {"last_trading_date": last_trading_date(market, now).isoformat(), "is_open": False}
        for market in _DAY_IS_OUT_AT
    }


def _overall(stale: int, total: int) -> str:
    if stale == 0:
        return "all_current"
    return "all_stale" if stale == total else "partially_stale"


def _universe(name: str, meta: dict[str, Any], now: datetime) -> dict[str, Any]:
    expected = last_trading_date(_MARKETS[name], now)
    latest = meta.get("latest_data_date")
    days = (expected - date.fromisoformat(latest[:10])).days if latest else 0
    is_stale = latest is None or days > 0
    return {
        "name": name,
        "last_cache_update": meta.get("last_update"),
        "latest_data_date": latest,
        "expected_latest_date": expected.isoformat(),
        "staleness_days": max(days, 0),
        "is_stale": is_stale,
        "needs_refresh": is_stale,
        "message": "Data needs a refresh" if is_stale else "Data is current",
    }
