"""The one order in which both databases are read: NULL, then numbers, text by bytes, and bytes, as SQLite sorts."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from harness.domain.cell_values import Family, cell_value, parse_moment
from harness.domain.rows import Cell

SortKey = tuple[tuple[int, Any], ...]
_BY_VALUE = frozenset({Family.TIME, Family.UUID})
_TIMES = frozenset({Family.MOMENT, Family.INSTANT, Family.DATE})


def sort_key(cells: Sequence[Cell], families: Sequence[Family]) -> SortKey:
    """A value that orders keys as the databases do, whichever side they come from."""
    return tuple(_rank(cell, family) for cell, family in zip(cells, families, strict=True))


def _rank(cell: Cell, family: Family) -> tuple[int, Any]:
    if cell is None:
        return (0, 0)
    if isinstance(cell, (bool, int, float, Decimal)):
        return (1, cell)
    if isinstance(cell, (str, bytes)):
        return _rank_text(cell, family)
    if isinstance(cell, datetime):
        return (2, cell.isoformat(" ", "microseconds"))
    return (2, cell.isoformat())


def _rank_text(cell: str | bytes, family: Family) -> tuple[int, Any]:
    tag, value = cell_value(cell, family) if family in _BY_VALUE else ("", cell)
    moment = parse_moment(cell) if family in _TIMES and isinstance(cell, str) else None
    if moment is not None:
        return (2, moment.isoformat(" ", "microseconds"))
    return (3, cell) if isinstance(cell, bytes) and tag in {"", "bytes"} else (2, value)
