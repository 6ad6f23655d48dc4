"""Pairs the rows that one step inserted on both sides: the most equal content first."""

from collections.abc import Sequence
from itertools import product

from harness.domain.compare.cells import TablePair, cell_kind
from harness.domain.record import RowChange

InsertPair = tuple[RowChange, RowChange]


def pair_inserts(legacy: Sequence[RowChange], target: Sequence[RowChange], table: TablePair) -> list[InsertPair]:
    """Pairs inserts of one table one to one; what is left over on a side was written on that side only.

    Clock columns and generated keys say nothing about which row is which; among equally like rows the order of keys
    decides.
    """
    scored = sorted(
        product(range(len(legacy)), range(len(target))),
        key=lambda pair: (-_likeness(legacy[pair[0]], target[pair[1]], table), pair),
    )
    free_mine, free_theirs = set(range(len(legacy))), set(range(len(target)))
    pairs = []
    for i, j in scored:
        if i in free_mine and j in free_theirs:
            free_mine.discard(i)
            free_theirs.discard(j)
            pairs.append((i, j))
    return [(legacy[i], target[j]) for i, j in sorted(pairs)]


def _likeness(legacy: RowChange, target: RowChange, table: TablePair) -> int:
    if legacy.after is None or target.after is None:
        return 0
    mine, theirs = legacy.after, target.after
    is_generated = len(legacy.key) == 1 and isinstance(legacy.key[0], int)
    return sum(
        1
        for column in table.columns
        if (not is_generated if column.is_key else column.family != "clock")
        and cell_kind(column, mine[column.legacy_index], theirs[column.target_index]) is None
    )
