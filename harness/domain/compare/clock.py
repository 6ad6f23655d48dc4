"""Reads clock values in every form that answers and rows carry them, and says when each can have been read."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from harness.domain.compare.number import Number

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?P<separator>[T ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?P<zone> ?Z| ?[+-]\d\d(?::?\d\d)?(?: ?UTC)?| UTC)?"
)
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_EMBEDDED = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<dash>[-_/.]?)(?P<month>0[1-9]|1[0-2])(?:(?P=dash)(?P<day>0[1-9]|[12]\d|3[01]))?"
    r"(?:[-_T ]?(?P<hour>[01]\d|2[0-3])(?P<colon>[:-]?)(?P<minute>[0-5]\d)(?P=colon)(?P<second>[0-5]\d))?(?!\d)"
)
_EPOCH_SECONDS = (1_000_000_000, 10_000_000_000)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_LONGEST_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time on one side: a value read in it lies between both ends."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockValue:
    """A moment as printed: it was read in `[at, at + granularity)`; `form` says how it is written."""

    at: datetime
    granularity: timedelta
    form: str
    """The spelling without the digits, such as `T.Z`; equal forms print clocks alike."""
    has_fraction: bool = False
    offset: timedelta | None = None
    """Of the zone that it is printed with."""

    def may_lie_in(self, window: Window) -> bool:
        """Whether the clock can have been read within the window, as exactly as it was printed."""
        return self.at <= window.end and self.at + self.granularity > window.start


def parse_clock(value: Any, zone: tzinfo) -> ClockValue | None:
    """A moment from ISO text, an HTTP date, epoch seconds or milliseconds, or a database's datetime.

    A moment without a zone is one in `zone`. Dates alone are none: see `embedded_dates`.
    """
    if isinstance(value, str):
        return _from_iso(value, zone) or _from_http_date(value)
    if isinstance(value, datetime):
        return _from_datetime(value, zone)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _from_epoch(value)
    return _from_epoch(Decimal(value.text)) if isinstance(value, Number) and _is_plain(value.text) else None


def embedded_clock(text: str, zone: tzinfo) -> tuple[str, ClockValue] | None:
    """A date or moment inside an id or a text, with the text around it; None where there is none.

    `TRD-20260204-0101` holds the day 2026-02-04 within `TRD-{}-0101`.
    """
    found = _EMBEDDED.search(text)
    if found is None or (found["day"] is None and found["dash"] == ""):
        return None
    parts = [int(found[name] or default) for name, default in _PARTS]
    try:
        at = datetime(*parts, tzinfo=zone)  # type: ignore[arg-type, misc]  # exactly six integers
    except ValueError:
        return None
    granularity = timedelta(seconds=1) if found["hour"] else _DAY if found["day"] else _LONGEST_MONTH
    form = f"{found['dash']}{'d' if found['day'] else ''}{found['colon'] if found['hour'] else '-'}"
    around = f"{text[: found.start()]}{{}}{text[found.end() :]}"
    return around, ClockValue(at=at.astimezone(UTC), granularity=granularity, form=form)


def from_date(value: date, zone: tzinfo) -> ClockValue:
    """A database's date as a day in `zone`."""
    at = datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)
    return ClockValue(at=at, granularity=_DAY, form="date")


_PARTS = (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def _from_iso(text: str, zone: tzinfo) -> ClockValue | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[n] or 0) for n in (1, 2, 3, 5, 6, 7))
    fraction = found["fraction"] or ""
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        offset = _offset(found["zone"]) or zone
        at = datetime(year, month, day, hour, minute, second, micros, tzinfo=offset).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if found[7] is None:
        granularity = timedelta(minutes=1)
    else:
        granularity = max(timedelta(seconds=1) / 10 ** len(fraction), _MICROSECOND)
    # Six digits and none are one spelling: a naive ISO printer leaves a zero fraction out.
    digits = str(len(fraction)) if len(fraction) not in (0, 6) else ""
    form = f"{found['separator']}{digits}{_spelling(found['zone'])}{'' if found[7] else '-'}"
    printed = offset.utcoffset(None) if found["zone"] else None
    return ClockValue(at=at, granularity=granularity, form=form, has_fraction=bool(fraction), offset=printed)


def _spelling(zone: str | None) -> str:
    """How a zone is written; which one it is shows in the moment, and changes with summer time."""
    return re.sub(r"[+-]", "±", re.sub(r"\d", "0", zone)) if zone else ""


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    digits = re.sub(r"\D", "", text).ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(-offset if "-" in text else offset)


def _from_http_date(text: str) -> ClockValue | None:
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        at = parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError):
        return None
    return ClockValue(at=at, granularity=timedelta(seconds=1), form="http")


def _from_datetime(value: datetime, zone: tzinfo) -> ClockValue:
    aware = value if value.tzinfo is not None else value.replace(tzinfo=zone)
    has_fraction = value.microsecond != 0
    granularity = _MICROSECOND if has_fraction else timedelta(seconds=1)
    return ClockValue(at=aware.astimezone(UTC), granularity=granularity, form="T", has_fraction=has_fraction)


def _from_epoch(value: int | float | Decimal) -> ClockValue | None:
    low, high = _EPOCH_SECONDS
    unit = 1 if low <= value < high else 1000 if low * 1000 <= value < high * 1000 else 0
    if not unit:
        return None
    is_whole = value == int(value)
    micros = int(Decimal(str(value)) * 1_000_000 / unit)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    granularity = timedelta(seconds=1) / unit if is_whole else _MICROSECOND
    return ClockValue(at=at, granularity=granularity, form=f"epoch{unit}", has_fraction=not is_whole)


def _is_plain(text: str) -> bool:
    return re.fullmatch(r"\d{9,20}(?:\.\d+)?", text) is not None
