"""Whether a SQLite cell can be carried into a PostgreSQL column without loss, and as which value."""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from harness.domain.cell_values import Family, cell_value, family_of, parse_moment
from harness.domain.rows import Cell, Column

_INTEGER_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_EXACT_IN_DOUBLE = 2**53
_SHOWN = 60


class CannotCarry(ValueError):
    """The value does not fit its column; the message says why, without table and row."""


def carry_cell(cell: Cell, column: Column, enums: Mapping[str, Sequence[str]]) -> Cell:
    """The value to write for a legacy cell.

    Guarantees that reading it back gives a value that means the same: what would be rounded, cut or guessed is
    refused instead.

    Raises:
        CannotCarry: the column cannot hold it.
    """
    if cell is None:
        if not column.is_nullable:
            raise CannotCarry("NULL where the target demands a value")
        return None
    labels = enums.get(column.declared_type)
    if labels is not None:
        return _enum(cell, labels)
    return _converter(column.declared_type)(cell, column.declared_type)


def integer_limit(declared: str) -> int:
    """The first number that is too great for an integer type; the least is its negative."""
    return int(2 ** (_INTEGER_BITS.get(declared, 64) - 1))


def shown(cell: Cell) -> str:
    """A cell for a message, cut to a readable length."""
    text = repr(cell)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _converter(declared: str) -> "Callable[[Cell, str], Cell]":
    family = family_of(declared)
    if family is not Family.OTHER:
        return _BY_FAMILY[family]
    return _BY_NAME.get(re.split(r"[(\[ ]", declared, maxsplit=1)[0], _unsupported)


def _enum(cell: Cell, labels: Sequence[str]) -> Cell:
    if cell not in labels:
        raise CannotCarry(f"{shown(cell)} is none of {', '.join(labels)}")
    return cell


def _boolean(cell: Cell, _declared: str) -> Cell:
    if isinstance(cell, int) and cell in {0, 1}:
        return bool(cell)
    raise CannotCarry(f"{shown(cell)} in a boolean column (only 0 and 1 are)")


def _integer(cell: Cell, declared: str) -> Cell:
    if not isinstance(cell, int):
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} in a number column of type {declared}")
    limit = integer_limit(declared)
    if not -limit <= cell < limit:
        raise CannotCarry(f"{cell} is out of range for {declared}")
    return cell


def _float(cell: Cell, declared: str) -> Cell:
    if not isinstance(cell, (int, float)):
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} in a number column of type {declared}")
    if isinstance(cell, int):
        if abs(cell) > _EXACT_IN_DOUBLE:
            raise CannotCarry(f"the integer {cell} loses digits in {declared}")
        return float(cell)  # columns of SQLite's NUMERIC affinity store 10.0 as 10
    if declared == "real" and math.isfinite(cell) and _through_32_bits(cell) != cell:
        raise CannotCarry(f"{cell!r} loses digits in real")
    return cell


def _decimal(cell: Cell, declared: str) -> Cell:
    if not isinstance(cell, (int, float, Decimal)):
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} in a number column of type {declared}")
    number = cell if isinstance(cell, Decimal) else Decimal(repr(cell))
    size = re.search(r"\((\d+),(\d+)\)", declared)
    if size is None:
        return number
    if not number.is_finite():
        raise CannotCarry(f"the non-finite number {cell} in {declared}")
    precision, scale = int(size[1]), int(size[2])
    scaled = number.scaleb(scale)
    if scaled != scaled.to_integral_value():
        raise CannotCarry(f"{cell!r} would be rounded to {scale} decimals by {declared}")
    if abs(scaled) >= Decimal(10) ** precision:
        raise CannotCarry(f"{cell!r} is out of range for {declared}")
    return number


def _moment(cell: Cell, declared: str) -> Cell:
    moment = _parsed(cell, declared)
    if moment.tzinfo is not None:
        raise CannotCarry(f"the time {shown(cell)} has an offset, which {declared} would drop")
    _require_precision(moment, cell, declared)
    return moment


def _instant(cell: Cell, declared: str) -> Cell:
    moment = _parsed(cell, declared)
    if moment.tzinfo is None:
        raise CannotCarry(f"the time {shown(cell)} has no offset, so {declared} would have to guess one")
    _require_precision(moment, cell, declared)
    return moment


def _date(cell: Cell, declared: str) -> Cell:
    tag, value = cell_value(cell, Family.DATE)
    if tag != "date":
        raise CannotCarry(f"{shown(cell)} is not a date of the form 2024-01-15, for {declared}")
    return value  # type: ignore[return-value]  # the tag says that it is a date


def _text(cell: Cell, declared: str) -> Cell:
    if not isinstance(cell, str):
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} in a text column")
    if "\0" in cell:
        raise CannotCarry(f"the text {shown(cell)} holds a NUL character, which PostgreSQL cannot store")
    try:
        cell.encode("utf-8")
    except UnicodeEncodeError:
        raise CannotCarry(f"the text {shown(cell)} is not valid UTF-8") from None
    size = re.search(r"\((\d+)\)", declared)
    if size is not None and len(cell) > int(size[1]):
        raise CannotCarry(f"the text {shown(cell)} has {len(cell)} characters, {declared} holds {size[1]}")
    if declared.startswith("character(") and size is not None and (len(cell) < int(size[1]) or cell.endswith(" ")):
        raise CannotCarry(f"the text {shown(cell)} would be padded by {declared}")
    return cell


def _bytes(cell: Cell, declared: str) -> Cell:
    if not isinstance(cell, bytes):
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} in a column of type {declared}")
    return cell


def _json(cell: Cell, declared: str) -> Cell:
    text = _text(cell, "text")
    try:
        json.loads(str(text), parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise CannotCarry(f"{shown(cell)} is not JSON, for {declared}") from None
    return text


def _no_json(text: str) -> None:
    raise ValueError(text)  # NaN and its like, which Python takes


def _jsonb(cell: Cell, declared: str) -> Cell:
    if cell_value(cell, Family.JSON)[0] != "json":
        _json(cell, declared)
        raise CannotCarry(
            f"{shown(cell)} would be changed by {declared}: a name stands twice, or it holds no character"
        )
    return cell if isinstance(cell, str) else json.dumps(cell)


def _time(cell: Cell, declared: str) -> Cell:
    tag, time = cell_value(cell, Family.TIME)
    if tag != Family.TIME:
        raise CannotCarry(f"{shown(cell)} is not a time of day, for {declared}")
    digits = re.search(r"\((\d)\)", declared)
    if digits is not None and str(time)[9 + int(digits[1]) :].strip("0"):
        raise CannotCarry(f"the time {shown(cell)} would be rounded by {declared}")
    return str(time)


def _uuid(cell: Cell, declared: str) -> Cell:
    tag, digits = cell_value(cell, Family.UUID)
    if tag != Family.UUID:
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} is not a uuid, for {declared}")
    return str(digits)


def _inet(cell: Cell, declared: str) -> Cell:
    if cell_value(cell, Family.INET)[0] != Family.INET:
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} is no address, for {declared}")
    return cell


def _unsupported(cell: Cell, declared: str) -> Cell:
    raise CannotCarry(f"no rule carries {_kind(cell)} {shown(cell)} into the type {declared}")


def _parsed(cell: Cell, declared: str) -> datetime:
    moment = parse_moment(cell) if isinstance(cell, str) else None
    if moment is None:
        raise CannotCarry(f"{_kind(cell)} {shown(cell)} is not a time of at most microseconds, for {declared}")
    return moment


def _require_precision(moment: datetime, cell: Cell, declared: str) -> None:
    digits = re.search(r"\((\d)\)", declared)
    if digits is not None and moment.microsecond % 10 ** (6 - int(digits[1])):
        raise CannotCarry(f"the time {shown(cell)} would be rounded by {declared}")


def _through_32_bits(number: float) -> float:
    try:
        narrow: float = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.inf
    return narrow


def _kind(cell: Cell) -> str:
    return {str: "the text", bytes: "the bytes", int: "the integer", float: "the number"}.get(type(cell), "the value")


_BY_FAMILY: Mapping[Family, "Callable[[Cell, str], Cell]"] = {
    Family.BOOLEAN: _boolean,
    Family.INTEGER: _integer,
    Family.FLOAT: _float,
    Family.DECIMAL: _decimal,
    Family.MOMENT: _moment,
    Family.INSTANT: _instant,
    Family.DATE: _date,
    Family.TIME: _time,
    Family.UUID: _uuid,
    Family.INET: _inet,
    Family.JSON: _jsonb,
}
_BY_NAME: Mapping[str, "Callable[[Cell, str], Cell]"] = {
    "text": _text,
    "citext": _text,
    "character": _text,
    "bytea": _bytes,
    "json": _json,
}
