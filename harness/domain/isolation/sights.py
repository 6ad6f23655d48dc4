"""What answers show that can no longer come: a value that was replaced and that nobody is left to write again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from harness.domain.isolation.history import Op, Row
from harness.domain.isolation.scenario import Cell, Kind

State = TypeVar("State")
_Sight = tuple[str, int, Cell]
"""A key, the index of a field, and what somebody saw there."""


class Sights(Generic[State]):
    """All that the answers of `ops` show; a set of operations is an integer with the bit of each one's position."""

    def __init__(self, ops: Sequence[Op], cell_of: Callable[[State, str, int], Cell]) -> None:
        self._cell_of = cell_of
        seen: dict[_Sight, int] = {}
        for position, op in enumerate(ops):
            for sight in _sights(op):
                seen[sight] = seen.get(sight, 0) | 1 << position
        writers = _writers(ops, seen)
        self._sights = [(sight, viewers, writers[sight]) for sight, viewers in seen.items()]

    def are_lost(self, done: int, state: State) -> bool:
        """True if an operation that is not done saw what is not there and will not be: no order leads on from here."""
        return any(
            not writers & ~done and viewers & ~done and self._cell_of(state, key, index) != cell
            for (key, index, cell), viewers, writers in self._sights
        )


def _sights(op: Op) -> Iterator[_Sight]:
    """What has to be so just before the operation; of one that may be left out, nothing has to."""
    if op.is_optional or op.kind is Kind.CREATE:
        return
    if op.row is not None and op.key is not None:
        own = {index for index, _ in op.writes}
        yield from _cells(op.key, op.row, own)
    elif op.page is not None and op.key is None:
        for key, row in op.page.rows:
            yield from _cells(key, row, set())


def _cells(key: str, row: Row, without: set[int]) -> Iterator[_Sight]:
    yield from ((key, index, cell) for index, cell in enumerate(row.fields) if index not in without)


def _writers(ops: Sequence[Op], sights: Iterable[_Sight]) -> Mapping[_Sight, int]:
    found = dict.fromkeys(sights, 0)
    for position, op in enumerate(ops):
        for sight in found if op.may_write else ():
            if op.key == sight[0] and _may_leave(op, sight[1], sight[2]):
                found[sight] |= 1 << position
    return found


def _may_leave(op: Op, index: int, cell: Cell) -> bool:
    written = dict(op.writes)
    return index in written and written[index] == cell
