"""The one order in which both databases are read: NULL, then numbers, text by bytes, and bytes, as SQLite sorts."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from harness.domain.cell_values import Family, parse_moment
from harness.domain.rows import Cell

SortKey = tuple[tuple[int, Any], ...]
_TIMES = frozenset({Family.MOMENT, Family.INSTANT, Family.DATE})


def sort_key(cells: Sequence[Cell], families: Sequence[Family]) -> SortKey:
    """A value that orders keys as the databases do, whichever side they come from."""
    return tuple(_rank(cell, family) for cell, family in zip(cells, families, strict=True))


def _rank(cell: Cell, family: Family) -> tuple[int, Any]:
    if cell is None:
        return (0, 0)
    if isinstance(cell, (bool, int, float, Decimal)):
        return (1, cell)
    if isinstance(cell, str):
        moment = parse_moment(cell) if family in _TIMES else None
        return (2, cell) if moment is None else (2, moment.isoformat(" ", "microseconds"))
    if isinstance(cell, datetime):
        return (2, cell.isoformat(" ", "microseconds"))
    if isinstance(cell, date):
        return (2, cell.isoformat())
    return (3, cell)
