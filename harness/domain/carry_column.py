"""Columns of legacy cells as PostgreSQL's COPY reads them: a whole column at once where that is plainly safe.

What cannot be seen to be safe in a few passes that the interpreter makes in C goes to `carry_cell`, which alone
refuses (`python -m bench --only migrate_1m`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import NoneType
from typing import Any

import orjson

from harness.domain.carry import CannotCarry, carry_cell, integer_limit
from harness.domain.rows import Cell, Column

Cells = tuple[Cell, ...]
Writer = Callable[[tuple[Any, ...]], Sequence[str] | None]
_NULL = r"\N"
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_TIMES = re.compile(r"(?:\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?\n)*")
_DATES = re.compile(r"(?:\d{4}-\d\d-\d\d\n)*")
_TO_ESCAPE = re.compile(r"[\\\t\n\r]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedColumn:
    """A text for every cell, and the positions of those that were refused, with the reason."""

    texts: Sequence[str]
    refused: Sequence[tuple[int, str]] = ()


def carry_column(cells: Cells, column: Column, enums: Mapping[str, Sequence[str]]) -> CarriedColumn:
    """The cells as the column takes them: each is refused exactly where `carry_cell` refuses it.

    A time may be one that PostgreSQL refuses or moves (a 30 February, an hour 24): reading it back tells.
    """
    texts = _plain_texts(cells, column, enums)
    return CarriedColumn(texts=texts) if texts is not None else _one_by_one(cells, column, enums)


def _one_by_one(cells: Cells, column: Column, enums: Mapping[str, Sequence[str]]) -> CarriedColumn:
    texts, refused = list[str](), list[tuple[int, str]]()
    for position, cell in enumerate(cells):
        try:
            texts.append(_text(carry_cell(cell, column, enums)))
        except CannotCarry as error:
            refused.append((position, str(error)))
            texts.append(_NULL)
    return CarriedColumn(texts=texts, refused=refused)


def _text(cell: Cell) -> str:
    if cell is None:
        return _NULL
    if isinstance(cell, bool):
        return "t" if cell else "f"
    if isinstance(cell, str):
        return cell.translate(_SPECIAL)
    if isinstance(cell, bytes):
        return rf"\\x{cell.hex()}"
    return cell.isoformat(" ") if isinstance(cell, datetime) else str(cell)


def _plain_texts(cells: Cells, column: Column, enums: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    kinds = set(map(type, cells))
    if NoneType not in kinds:
        return _plain(cells, kinds, column, enums)
    if not column.is_nullable:
        return None
    present = tuple(cell for cell in cells if cell is not None)
    texts = _plain(present, kinds - {NoneType}, column, enums) if present else ()
    if texts is None:
        return None
    waiting = iter(texts)
    return [_NULL if cell is None else next(waiting) for cell in cells]


def _plain(cells: Cells, kinds: set[type], column: Column, enums: Mapping[str, Sequence[str]]) -> Sequence[str] | None:
    labels = enums.get(column.declared_type)
    if labels is not None:
        return cells if kinds == {str} and set(cells) <= set(labels) else None  # type: ignore[return-value]
    known, writer = _writer(column.declared_type)
    return writer(cells) if kinds <= known else None


@lru_cache(maxsize=256)
def _writer(declared: str) -> tuple[frozenset[type], Writer]:
    """The types of cells that a column takes unseen, and what writes a column of them or gives it back."""
    for pattern, kinds, make in _WRITERS:
        found = pattern.fullmatch(declared)
        if found is not None:
            return kinds, make(found)
    return frozenset(), lambda _: None


def _integers(found: re.Match[str]) -> Writer:
    limit = integer_limit(found[0])
    return lambda cells: _numbers(cells) if -limit <= min(cells) and max(cells) < limit else None


def _numbers(cells: tuple[Any, ...]) -> Sequence[str] | None:
    """Shortest texts that give the numbers back; several times as fast as `repr`, and without infinities."""
    texts = orjson.dumps(cells).decode()[1:-1].split(",")
    return None if "null" in texts else texts


def _booleans(_found: re.Match[str]) -> Writer:
    return lambda cells: list(map(str, cells)) if set(cells) <= {0, 1} else None


def _doubles(_found: re.Match[str]) -> Writer:
    return _numbers


def _times(found: re.Match[str]) -> Writer:
    pattern = _DATES if found[0] == "date" else _TIMES
    return lambda cells: cells if pattern.fullmatch("\n".join((*cells, ""))) else None


def _decimals(found: re.Match[str]) -> Writer:
    precision, scale = int(found[1]), int(found[2])
    if scale < 1 or precision <= scale:
        return lambda _: None
    limit = min(10 ** (precision - scale), integer_limit("bigint"))
    fits = re.compile(rf"(?:-?\d{{1,{precision - scale}}}(?:\.\d{{1,{scale}}})?\n)*")

    def write(cells: tuple[Any, ...]) -> Sequence[str] | None:
        # What a mapping has multiplied may exceed the 64 bits that can be written at once.
        texts = _numbers(cells) if -limit < min(cells) and max(cells) < limit else None
        return texts if texts is not None and fits.fullmatch("\n".join((*texts, ""))) else None

    return write


def _texts(found: re.Match[str]) -> Writer:
    limit = int(found[1]) if found[1] else None

    def write(cells: tuple[Any, ...]) -> Sequence[str] | None:
        joined = "".join(cells)
        if "\0" in joined or (limit is not None and max(map(len, cells)) > limit):
            return None
        if not joined.isascii() and _SURROGATE.search(joined):
            return None
        return [cell.translate(_SPECIAL) for cell in cells] if _TO_ESCAPE.search(joined) else cells

    return write


_INTEGER, _REAL, _TEXT = frozenset({int}), frozenset({float}), frozenset({str})
_WRITERS: tuple[tuple[re.Pattern[str], frozenset[type], Callable[[re.Match[str]], Writer]], ...] = (
    (re.compile(r"smallint|integer|bigint"), _INTEGER, _integers),
    (re.compile(r"boolean"), _INTEGER, _booleans),
    (re.compile(r"double precision"), _REAL, _doubles),
    (re.compile(r"timestamp without time zone|date"), _TEXT, _times),
    # SQLite stores the whole numbers of a NUMERIC column as integers.
    (re.compile(r"numeric\((\d+),(\d+)\)"), _INTEGER | _REAL, _decimals),
    (re.compile(r"(?:text|character varying)(?:\((\d+)\))?"), _TEXT, _texts),
)
