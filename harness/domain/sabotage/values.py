"""Defects of single values: SQLite against PostgreSQL semantics, serialisation, time and zone."""

import re
import unicodedata
from typing import Any

from harness.domain.difference import DifferenceKind
from harness.domain.sabotage.defect import Defect, value_defect

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_ZULU = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_VALUE, _TYPE, _CLOCK = DifferenceKind.VALUE, DifferenceKind.TYPE, DifferenceKind.CLOCK
_REPRESENTATION = DifferenceKind.REPRESENTATION


def _is_text(_: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) > 2 and value.isalpha() and value.isascii()


def _is_moment(_: str, value: Any) -> bool:
    return isinstance(value, str) and _MOMENT.match(value) is not None


def _is_int(_: str, value: Any) -> bool:
    return type(value) is int and value > 1


def _is_float(_: str, value: Any) -> bool:
    return type(value) is float and value != int(value)


def _is_whole_float(_: str, value: Any) -> bool:
    return type(value) is float and value == int(value)


def _is_null(_: str, value: Any) -> bool:
    return value is None


def _is_bool(_: str, value: Any) -> bool:
    return isinstance(value, bool)


def _has_accent(_: str, value: Any) -> bool:
    return isinstance(value, str) and unicodedata.normalize("NFD", value) != value


def _shift_day(text: str) -> str:
    return f"{text[:8]}{(int(text[8:10]) % 28) + 1:02d}{text[10:]}"


def _shift_hours(text: str) -> str:
    return f"{text[:11]}{(int(text[11:13]) + 10) % 24:02d}{text[13:]}"


VALUE_DEFECTS: tuple[Defect, ...] = (
    value_defect("int-as-float", "10 became 10.0", _is_int, float, _REPRESENTATION),
    value_defect("float-as-int", "10.0 became 10", _is_whole_float, int, _REPRESENTATION),
    value_defect("number-as-string", "a numeric column serialised as text", _is_float, str, _TYPE),
    value_defect("int-as-string", "a bigint serialised as text", _is_int, str, _TYPE),
    value_defect("string-as-number", "a text became a number", _is_text, lambda _: 1, _TYPE),
    value_defect("bool-as-int", "true became 1", _is_bool, int, _TYPE),
    value_defect("bool-flipped", "true became false", _is_bool, lambda value: not value, _VALUE),
    value_defect("null-as-empty", "null became an empty text", _is_null, lambda _: "", _TYPE),
    value_defect("null-as-zero", "null became 0", _is_null, lambda _: 0, _TYPE),
    value_defect("null-as-false", "null became false", _is_null, lambda _: False, _TYPE),
    value_defect("null-as-text", "null became the word", _is_null, lambda _: "null", _TYPE),
    value_defect("text-as-null", "a text was lost", _is_text, lambda _: None, _TYPE),
    value_defect("text-empty", "a text became empty", _is_text, lambda _: "", _VALUE),
    value_defect("text-case", "upper case was not applied", _is_text, str.swapcase, _VALUE),
    value_defect("text-padded", "a CHAR(n) column pads", _is_text, lambda value: f"{value} ", _VALUE),
    value_defect("text-truncated", "a VARCHAR(n) column cuts", _is_text, lambda value: value[:-1], _VALUE),
    value_defect(
        "unicode-form", "NFC became NFD", _has_accent, lambda value: unicodedata.normalize("NFD", value), _VALUE
    ),
    value_defect(
        "mojibake",
        "UTF-8 read as Latin-1",
        _has_accent,
        lambda value: value.encode().decode("latin-1"),
        _VALUE,
    ),
    value_defect(
        "off-by-one", "a count is one too high", _is_int, lambda value: value + 1, _VALUE, DifferenceKind.IDENTITY
    ),
    value_defect("negated", "a sign was lost", _is_float, lambda value: -value, _VALUE),
    value_defect("rounded", "rounded to a whole number", _is_float, lambda value: float(round(value)), _VALUE),
    value_defect("last-digit", "a sum in another order", _is_float, lambda value: value * (1 + 2**-51), _VALUE),
    value_defect("percent", "a ratio instead of a percentage", _is_float, lambda value: value / 100, _VALUE),
    value_defect(
        "negative-zero", "0.0 became -0.0", lambda _, v: type(v) is float and v == 0, lambda _: -0.0, _REPRESENTATION
    ),
    value_defect("date-shifted", "a date is a day off", _is_moment, _shift_day, _VALUE),
    value_defect("zone-shifted", "a stored time is in the local zone", _is_moment, _shift_hours, _VALUE),
    value_defect("zone-added", "a naive time got a Z", _is_moment, lambda value: f"{value}Z", _VALUE),
    value_defect("zone-offset", "a naive time got +00:00", _is_moment, lambda value: f"{value}+00:00", _VALUE),
    value_defect("time-cut", "a time became a date", _is_moment, lambda value: value[:10], _VALUE),
    value_defect("time-spaced", "the T became a space", _is_moment, lambda value: value.replace("T", " "), _VALUE),
    value_defect("micros-printed", "zero microseconds are printed", _is_moment, lambda v: f"{v[:19]}.000000", _VALUE),
    value_defect("list-as-null", "an empty list became null", lambda _, v: v == [], lambda _: None, _TYPE),
    value_defect(
        "list-as-object",
        "a list got wrapped",
        lambda _, v: isinstance(v, list) and bool(v),
        lambda v: {"items": v},
        _TYPE,
    ),
    value_defect("number-as-list", "a scalar got wrapped", _is_int, lambda value: [value], _TYPE),
)


def _is_fresh_moment(name: str, value: Any) -> bool:
    return name in ("timestamp", "created_at", "updated_at", "last_updated") and _is_moment(name, value)


def _is_zulu(_: str, value: Any) -> bool:
    return isinstance(value, str) and _ZULU.fullmatch(value) is not None


def _is_micro(name: str, value: Any) -> bool:
    return _is_fresh_moment(name, value) and len(value) == 26


def _is_token(name: str, value: Any) -> bool:
    return name == "request_id" and isinstance(value, str)


def _is_uuid(name: str, value: Any) -> bool:
    return name == "run_id" and isinstance(value, str)


def _is_dated_id(_: str, value: Any) -> bool:
    return isinstance(value, str) and re.search(r"_20\d{6}_\d{6}$", value) is not None


def _is_dated_day(_: str, value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Z]+-20\d{6}-\d+", value) is not None


NOISE_DEFECTS: tuple[Defect, ...] = (
    value_defect("clock-zone", "now is local time", _is_fresh_moment, _shift_hours, _CLOCK, _VALUE, is_stable=False),
    value_defect("clock-day", "now is another day", _is_fresh_moment, _shift_day, _CLOCK, _VALUE, is_stable=False),
    value_defect("clock-z", "now got a Z", _is_fresh_moment, lambda v: f"{v}Z", _CLOCK, _VALUE, is_stable=False),
    value_defect(
        "clock-spaced",
        "now lost its T",
        _is_fresh_moment,
        lambda v: v.replace("T", " "),
        _CLOCK,
        _VALUE,
        is_stable=False,
    ),
    value_defect(
        "clock-millis",
        "now has three digits",
        _is_fresh_moment,
        lambda v: f"{v[:19]}.123",
        _CLOCK,
        _VALUE,
        is_stable=False,
    ),
    value_defect(
        "clock-frozen",
        "now was read at import",
        _is_fresh_moment,
        lambda _: "2026-01-01T00:00:00",
        _VALUE,
        _CLOCK,
        is_stable=False,
    ),
    value_defect(
        "clock-offset", "a Z became +00:00", _is_zulu, lambda v: f"{v[:-1]}+00:00", _CLOCK, _VALUE, is_stable=False
    ),
    value_defect(
        "clock-coarse",
        "only milliseconds fill microseconds",
        _is_micro,
        lambda v: f"{v[:23]}000",
        _CLOCK,
        is_stable=False,
    ),
    value_defect("clock-null", "now is missing", _is_fresh_moment, lambda _: None, _TYPE, is_stable=False),
    value_defect("clock-epoch", "now is a number", _is_fresh_moment, lambda _: 1_770_000_000, _TYPE, is_stable=False),
    value_defect("token-short", "a token is shorter", _is_token, lambda v: v[:6], _VALUE, is_stable=False),
    value_defect(
        "token-upper", "a token has other characters", _is_token, lambda v: "zz" + v[2:], _VALUE, is_stable=False
    ),
    value_defect("token-constant", "a token never changes", _is_token, lambda _: "deadbeef", _VALUE, is_stable=False),
    value_defect("uuid-version", "uuids by clock", _is_uuid, lambda v: f"{v[:14]}1{v[15:]}", _VALUE, is_stable=False),
    value_defect("uuid-case", "uuids in capitals", _is_uuid, str.upper, _VALUE, is_stable=False),
    value_defect(
        "uuid-plain", "a uuid lost its dashes", _is_uuid, lambda v: v.replace("-", ""), _VALUE, is_stable=False
    ),
    value_defect(
        "uuid-constant",
        "a uuid is nil",
        _is_uuid,
        lambda _: "00000000-0000-0000-0000-000000000000",
        _VALUE,
        is_stable=False,
    ),
    value_defect(
        "dated-id-zone",
        "an id's moment is in another zone",
        _is_dated_id,
        lambda v: f"{v[:-15]}20260101_000000",
        _CLOCK,
        _VALUE,
        is_stable=False,
    ),
    value_defect(
        "dated-id-prefix", "an id has another prefix", _is_dated_id, lambda v: f"X{v}", _VALUE, is_stable=False
    ),
    value_defect(
        "dated-day",
        "an id's day is another",
        _is_dated_day,
        lambda v: re.sub(r"20\d{6}", "20250101", v),
        _VALUE,
        is_stable=False,
    ),
)
