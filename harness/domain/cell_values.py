"""What a cell means, whichever database stored it: the typed value that decides whether two cells are the same."""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from ipaddress import ip_interface

from harness.domain.json_value import canonical_json
from harness.domain.rows import Cell

CellValue = tuple[str, object]
"""A tag and a hashable value: equal exactly when the cells mean the same; tags of unlike types never meet."""

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_TIME = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6})0*)?)?")
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.I)
_UUID_BYTES = 16
_NULL: CellValue = ("null", None)


class Family(StrEnum):
    """How a declared type's cells are read; the same families for both databases."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    MOMENT = "moment"
    """A timestamp without zone."""
    INSTANT = "instant"
    """A timestamp with zone."""
    DATE = "date"
    TIME = "time"
    """A time of day without zone."""
    UUID = "uuid"
    INET = "inet"
    """An address of the Internet protocol, with its net or without."""
    JSON = "json"
    """PostgreSQL's jsonb, which keeps the value and not the text."""
    OTHER = "other"
    """Text, bytes, enums and all that is compared as it is."""


_FAMILIES = (
    (Family.BOOLEAN, re.compile(r"BOOL(EAN)?\b")),
    (Family.INSTANT, re.compile(r"TIMESTAMPTZ\b|TIMESTAMP(\(\d\))? WITH TIME ZONE")),
    (Family.MOMENT, re.compile(r"DATETIME\b|TIMESTAMP\b")),
    (Family.DATE, re.compile(r"DATE\b")),
    (Family.TIME, re.compile(r"TIME(\(\d\))?( WITHOUT TIME ZONE)?$")),
    (Family.UUID, re.compile(r"UUID$")),
    (Family.INET, re.compile(r"INET$")),
    (Family.JSON, re.compile(r"JSONB$")),
    (Family.DECIMAL, re.compile(r"NUMERIC\b|DECIMAL\b")),
    (Family.FLOAT, re.compile(r"DOUBLE\b|FLOAT\d*\b|REAL\b")),
    (Family.INTEGER, re.compile(r"(BIG|SMALL|TINY|MEDIUM)?INT(EGER|\d)?\b|(BIG|SMALL)?SERIAL\b")),
)


@cache
def family_of(declared_type: str) -> Family:
    """The family of a declared type, in SQLite's or PostgreSQL's spelling."""
    declared = declared_type.upper()
    if declared.endswith("[]"):
        return Family.OTHER
    return next((family for family, pattern in _FAMILIES if pattern.match(declared)), Family.OTHER)


def families_of(legacy_type: str, target_type: str) -> tuple[Family, Family]:
    """How both sides' cells are read.

    Where the target's type gives a value one spelling of its own (a uuid, a time of day, jsonb), the legacy's text
    or bytes are read as that type reads them; where it does not, they are compared as they are.
    """
    ours, theirs = family_of(legacy_type), family_of(target_type)
    if theirs in RESPELLED and ours in _AS_IT_IS:
        return theirs, theirs
    return (Family.OTHER if ours in RESPELLED else ours), theirs


def cell_value(cell: Cell, family: Family) -> CellValue:
    """The typed value of a cell under its column's family.

    A cell that does not fit its column (SQLite types each cell) keeps the type it is stored with, so it never
    equals one that fits. Floats are taken by their bits: -0.0 is not 0.0, and every NaN is the same.
    """
    if cell is None:
        return _NULL
    if isinstance(cell, (int, float, Decimal)):
        return _number_value(cell, family)
    if isinstance(cell, str):
        return _text_value(cell, family)
    if family is Family.UUID and isinstance(cell, bytes) and len(cell) == _UUID_BYTES:
        return ("uuid", cell.hex())
    return _other_value(cell)


def numeric_value(cell: Cell) -> Decimal | None:
    """A number by its text, infinities included; None for what is no number, NaN included."""
    if isinstance(cell, bool) or not isinstance(cell, (int, float, Decimal)):
        return None
    number = cell if isinstance(cell, Decimal) else Decimal(repr(cell))
    return None if number.is_nan() else number


@lru_cache(maxsize=4096)  # the same rows are read after every step
def parse_moment(text: str) -> datetime | None:
    """The time that a SQLite text stands for, None where it is none or finer than a microsecond.

    A missing time of day is midnight, as the application's own parser takes it; fractions that are longer than
    six digits must end in zeros. Aware where the text carries an offset.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    digits = (fraction or "").ljust(6, "0")
    if digits[6:].strip("0"):
        return None
    try:
        clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}{offset or ''}"
        whole = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}")
    except ValueError:
        return None
    return whole.replace(microsecond=int(digits[:6]))


def key_value(cell: Cell, family: Family) -> CellValue:
    """As `cell_value`, but a number is the same key however it is stored: 1, 1.0 and 1.00."""
    number = numeric_value(cell) if family is not Family.BOOLEAN else None
    return cell_value(cell, family) if number is None else ("number", _decimal_text(number))


def cell_text(cell: Cell) -> str:
    """A cell as JSON text, for people: what JSON has no form for comes as a string."""
    if cell is None or isinstance(cell, (bool, int)):
        return json.dumps(cell)
    if isinstance(cell, float):
        return repr(cell) if math.isfinite(cell) else f'"{cell}"'
    if isinstance(cell, Decimal):
        return str(cell) if cell.is_finite() else f'"{cell}"'
    if isinstance(cell, bytes):
        return json.dumps("\\x" + cell.hex())
    if isinstance(cell, (datetime, date)):
        return json.dumps(cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat())
    return json.dumps(cell, ensure_ascii=any("\ud800" <= letter <= "\udfff" for letter in cell))


def _number_value(cell: int | float | Decimal, family: Family) -> CellValue:
    if family is Family.JSON:
        # SQLite stores a number that is all of a JSON text as a number.
        return _text_value(json.dumps(cell) if isinstance(cell, (bool, int, float)) else str(cell), family)
    if isinstance(cell, bool) or (family is Family.BOOLEAN and isinstance(cell, int) and cell in {0, 1}):
        return ("bool", bool(cell))
    if isinstance(cell, int):
        return ("int", cell)
    if isinstance(cell, float):
        return ("float", "nan" if math.isnan(cell) else struct.pack(">d", cell))
    return ("decimal", _decimal_text(cell))


def _text_value(text: str, family: Family) -> CellValue:
    if family is Family.DATE:
        moment = parse_moment(text) if len(text) == len("2024-01-15") else None
        return ("text", text) if moment is None else ("date", moment.date())
    if family in {Family.MOMENT, Family.INSTANT}:
        moment = parse_moment(text)
        return ("text", text) if moment is None else _other_value(moment)
    if family in RESPELLED:
        value = _SPELLINGS[family](text)
        return ("text", text) if value is None else (family.value, value)
    return ("text", text)


def _time_value(text: str) -> str | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, fraction = found.groups()
    value = f"{hour}:{minute}:{second or '00'}.{(fraction or '').ljust(6, '0')}"
    return value if value <= "24:00:00.000000" else None


def _uuid_value(text: str) -> str | None:
    return text.replace("-", "").lower() if _UUID.fullmatch(text) else None


def _inet_value(text: str) -> str | None:
    try:
        return str(ip_interface(text))
    except ValueError:
        return None


_SPELLINGS: Mapping[Family, Callable[[str], str | None]] = {
    Family.TIME: _time_value,
    Family.UUID: _uuid_value,
    Family.INET: _inet_value,
    Family.JSON: canonical_json,
}
"""The one text of a value whose type gives it one, None for text that is none of its values."""
RESPELLED = frozenset(_SPELLINGS)
"""PostgreSQL's types of which SQLite keeps the text that was written, and PostgreSQL a text of its own."""
_AS_IT_IS = frozenset({Family.OTHER, *RESPELLED})


def _other_value(cell: bytes | datetime | date) -> CellValue:
    if isinstance(cell, datetime):
        return ("moment", cell) if cell.tzinfo is None else ("instant", cell)
    if isinstance(cell, date):
        return ("date", cell)
    return ("bytes", bytes(cell))


def _decimal_text(number: Decimal) -> str:
    if not number.is_finite():
        return str(number)
    sign, digits, exponent = number.as_tuple()
    # Not normalize(): that rounds to the context's precision.
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    return f"{'-' if sign else ''}{kept}e{int(exponent) + len(text) - len(kept)}" if kept else "0"
