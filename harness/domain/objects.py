"""Stored objects as both sides yield them, ready to compare: tables, and files of which only the bytes count."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

Cells: TypeAlias = "array[float] | array[int] | tuple[str | int | None, ...]"
"""A column's values: numbers packed, every NaN being the same; all else as text, None where there is nothing.
Integers that cannot be packed, as there are nulls among them, stay integers.

Where a packed column has nothing there is a NaN of other bits than the rest, `NOTHING`.
"""
NOTHING = bytes.fromhex("7ff80000000000ff")
"""The bits that stand for null among packed floats, the sign first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectColumn:
    """One column; `type` is the file format's own spelling. A name that the file has before is numbered: x, x#2."""

    name: str
    type: str
    cells: Cells
    dtype: str = ""
    """What the type becomes where a program reads the file as a data frame; '' where that says nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableObject:
    """A table in a file: columns in their order, those named in `index` label the rows; `codecs` compress it."""

    columns: tuple[ObjectColumn, ...]
    index: tuple[str, ...] = ()
    numbering: str = ""
    """How rows are numbered that no column labels; '' from 0 on."""
    codecs: frozenset[str] = frozenset()

    @property
    def row_count(self) -> int:
        """Rows; 0 without a column."""
        return len(self.columns[0].cells) if self.columns else 0

    @property
    def value_count(self) -> int:
        """Cells of all columns, the index included."""
        return self.row_count * len(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaqueObject:
    """A file of no format that is known here: equal only byte by byte."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableObject:
    """A file that is not what its name says."""

    reason: str


def fits(key: str, patterns: Sequence[str]) -> bool:
    """Whether a key is one of those that the patterns mean: `*` spans folders too, and `**/` is any of them or none."""
    return any(fnmatchcase(key, each) or fnmatchcase(key, each.replace("**/", "")) for each in patterns)


ObjectContent = TableObject | OpaqueObject | UnreadableObject
ObjectState = Mapping[str, ObjectContent]
"""Every compared object by its key, relative to the directory or prefix that is compared."""
