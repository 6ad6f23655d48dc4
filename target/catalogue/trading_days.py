"""The last day of each market that prices can be expected of. Source: contract section 4.6, data-status."""

import json
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

_HOLIDAYS = Path(__file__).with_name("holidays.json")
_SATURDAY = 5


class Market(StrEnum):
    """Where shares are traded."""

    US = "US"
    AU = "AU"


_DAY_IS_OUT_AT = {Market.US: 7, Market.AU: 16}
"""Hour of the server's day from which on that day itself is expected."""


def last_trading_date(market: Market, now: datetime) -> date:
    """Return the last day with prices; `now` is the server's clock.

    LEGACY-PARITY: section 4.6, holidays are known for 2024 and 2025 only.
    """
    day = now.date()
    if now.hour < _DAY_IS_OUT_AT[market]:
        day -= timedelta(days=1)
    while day.weekday() >= _SATURDAY or day in _holidays(market):
        day -= timedelta(days=1)
    return day


@cache
def _holidays(market: Market) -> frozenset[date]:
    days = json.loads(_HOLIDAYS.read_text(encoding="utf-8"))[market]
    return frozenset(date.fromisoformat(day) for day in days)
