"""The days on which each exchange trades: weekdays without the holidays that the exchanges' rules give."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from legacy_adapter.market.listings import Region

FIRST_DAY = date(2005, 1, 1)
HORIZON = date(2039, 12, 31)
"""Prices are drawn up to here, always: what a day shows never depends on how far the market has come."""
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_JUNETEENTH_SINCE = 2022

Days = NDArray[np.datetime64]


@lru_cache(maxsize=2)
def trading_days(region: Region) -> Days:
    """All of them up to the horizon, as datetime64[D]."""
    every: Days = np.arange(np.datetime64(FIRST_DAY), np.datetime64(HORIZON + timedelta(days=1)))
    years = range(FIRST_DAY.year, HORIZON.year + 1)
    holidays = np.array([day for year in years for day in holidays_of(region, year)], dtype="datetime64[D]")
    days: Days = every[np.is_busday(every, holidays=holidays)]
    return days


def holidays_of(region: Region, year: int) -> list[date]:
    """Full-day closings; half days count as trading days."""
    return list(_us_holidays(year) if region is Region.US else _au_holidays(year))


def easter_sunday(year: int) -> date:
    """Of the Gregorian calendar (the anonymous algorithm, Nature 1876)."""
    century, of_century = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    correction = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _us_holidays(year: int) -> Iterator[date]:
    if date(year, 1, 1).weekday() != _SATURDAY:  # the exchange does not close on the last day of a year for it
        yield _us_observed(date(year, 1, 1))
    yield _nth(year, 1, _MONDAY, 3)
    yield _nth(year, 2, _MONDAY, 3)
    yield easter_sunday(year) - timedelta(days=2)
    yield _last_monday_of_may(year)
    if year >= _JUNETEENTH_SINCE:
        yield _us_observed(date(year, 6, 19))
    yield _us_observed(date(year, 7, 4))
    yield _nth(year, 9, _MONDAY, 1)
    yield _nth(year, 11, _THURSDAY, 4)
    yield _us_observed(date(year, 12, 25))


def _au_holidays(year: int) -> Iterator[date]:
    yield _next_weekday(date(year, 1, 1))
    yield _next_weekday(date(year, 1, 26))
    yield easter_sunday(year) - timedelta(days=2)
    yield easter_sunday(year) + timedelta(days=1)
    yield date(year, 4, 25)  # not moved when it falls on a weekend
    yield _nth(year, 6, _MONDAY, 2)
    christmas = _next_weekday(date(year, 12, 25))
    boxing = _next_weekday(date(year, 12, 26))
    yield christmas
    yield boxing if boxing != christmas else boxing + timedelta(days=1)


def _us_observed(day: date) -> date:
    return day + timedelta(days={_SATURDAY: -1, _SUNDAY: 1}.get(day.weekday(), 0))


def _next_weekday(day: date) -> date:
    return day + timedelta(days={_SATURDAY: 2, _SUNDAY: 1}.get(day.weekday(), 0))


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
