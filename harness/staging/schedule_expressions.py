"""When a schedule is due: EventBridge Scheduler's `rate(…)`, `cron(…)` and `at(…)`.

Source: Amazon EventBridge Scheduler user guide, "Schedule types". `L`, `W` and `#` of cron are not read here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from harness.domain.errors import ConfigurationError

_RATE = re.compile(r"rate\((?P<value>[1-9]\d*) (?P<unit>minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((?P<fields>[^()]+)\)")
_AT = re.compile(r"at\((?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_PART = re.compile(r"(?P<from>\w+|\*)(?:-(?P<to>\w+))?(?:/(?P<step>[1-9]\d*))?")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_WEEKDAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
# A leap day, at the most, is eight years away.
_HORIZON_DAYS = 366 * 9


class Schedule(Protocol):
    """Anything that is due at times."""

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment` (aware), or None if there is none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Every `period` since `begun_at`."""

    period: timedelta
    begun_at: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """The next whole number of periods."""
        passed = max(0, (moment - self.begun_at) // self.period)
        return self.begun_at + (passed + 1) * self.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """At one moment."""

    at: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """That moment, until it has passed."""
        return self.at if moment < self.at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """By the clock on the wall of `zone`; an empty set of days stands for `?`."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """The next minute that all fields name; a time that the clock skips is left out."""
        local = moment.astimezone(self.zone)
        for day in self._matching_days(local.date()):
            for found in self._times(day):
                if found > moment:
                    return found
        return None

    def _matching_days(self, first: date) -> Iterator[date]:
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            weekday = day.isoweekday() % 7 + 1
            if (
                day.year in self.years
                and day.month in self.months
                and (day.day in self.days or weekday in self.weekdays)
            ):
                yield day

    def _times(self, day: date) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                found = wall.astimezone(UTC)
                if found.astimezone(self.zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
                    yield found


def parse_schedule(expression: str, *, timezone: str = "UTC", begun_at: datetime) -> Schedule:
    """The schedule of an expression; a rate counts from `begun_at`.

    Raises:
        ConfigurationError: the expression or the time zone is none, or uses what is not read here.
    """
    try:
        zone = ZoneInfo(timezone)
        if rate := _RATE.fullmatch(expression):
            return Rate(period=timedelta(**{f"{rate['unit']}s": int(rate["value"])}), begun_at=begun_at)
        if at := _AT.fullmatch(expression):
            return Once(at=datetime.fromisoformat(at["at"]).replace(tzinfo=zone).astimezone(UTC))
        if cron := _CRON.fullmatch(expression):
            return _parse_cron(cron["fields"].split(), zone)
    except (ValueError, OSError, LookupError) as error:
        raise _refused(expression, str(error)) from error
    raise _refused(expression, "it is none of rate(…), cron(…), at(…)")


def _parse_cron(fields: list[str], zone: ZoneInfo) -> Cron:
    if len(fields) != 6:
        raise ValueError(f"cron has six fields, this has {len(fields)}")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week is ?")
    return Cron(
        minutes=tuple(sorted(_values(minutes, 0, 59))),
        hours=tuple(sorted(_values(hours, 0, 23))),
        days=_values(days, 1, 31),
        months=_values(months, 1, 12, _MONTHS),
        weekdays=_values(weekdays, 1, 7, _WEEKDAYS),
        years=_values(years, 1970, 2199),
        zone=zone,
    )


def _values(field: str, least: int, most: int, names: Mapping[str, int] | None = None) -> frozenset[int]:
    if field == "?":
        return frozenset()
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part} cannot be read")
        start = least if match["from"] == "*" else _number(match["from"], names)
        open_end = match["from"] == "*" or (match["step"] and not match["to"])
        end = _number(match["to"], names) if match["to"] else (most if open_end else start)
        if not least <= start <= end <= most:
            raise ValueError(f"{part} is not within {least} to {most}")
        found.update(range(start, end + 1, int(match["step"] or 1)))
    return frozenset(found)


def _number(text: str, names: Mapping[str, int] | None) -> int:
    return (names or {}).get(text.upper()) or int(text)


def _refused(expression: str, reason: str) -> ConfigurationError:
    hint = "Write rate(5 minutes), cron(30 21 ? * MON-FRI *) or at(2026-01-31T21:30:00)."
    return ConfigurationError(f"the schedule expression {expression!r} cannot be used: {reason}", hint=hint)
