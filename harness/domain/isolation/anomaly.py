"""Which anomaly a contradiction is, told from the few operations that make it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from harness.domain.isolation.history import Op
from harness.domain.isolation.scenario import Cell, Kind, Refusal


class Anomaly(StrEnum):
    """What concurrent clients saw that no serial system shows."""

    LOST_UPDATE = "lost update"
    """A write was acknowledged, and its value was never there afterwards."""
    DOUBLE_TRANSITION = "double transition"
    """An operation that a row admits once was acknowledged twice."""
    WRITE_SKEW = "write skew"
    """Two operations were acknowledged, each of which had refused the other."""
    PHANTOM_PAGE = "phantom page"
    """A page shows rows, or a count, that no moment of its reading had."""
    STALE_READ = "stale read"
    """An answer shows what an earlier write had replaced; later ones show the write."""
    DIRTY_READ = "dirty read"
    """An answer shows a value that no accepted operation wrote, or a row that it never was: half of a write."""
    WRONG_ANSWER = "wrong answer"
    """A status, or a row, that the serial model never gives."""


def classify(core: Sequence[Op], ops: Sequence[Op]) -> Anomaly:
    """The anomaly of `core`, which has no explanation, within all operations and pages of the same keys."""
    signs: tuple[tuple[Anomaly, Callable[[], bool]], ...] = (
        (Anomaly.WRONG_ANSWER, lambda: any(not _is_foreseen(op) for op in core)),
        (Anomaly.PHANTOM_PAGE, lambda: any(op.kind is Kind.LIST for op in core)),
        (Anomaly.DOUBLE_TRANSITION, lambda: _is_twice(core, {Kind.TRANSITION, Kind.DELETE})),
        (Anomaly.WRITE_SKEW, lambda: _is_twice(core, {Kind.CREATE}) or _shares_a_key(core, ops)),
        (Anomaly.WRITE_SKEW, lambda: _is_guarded_on_old(core)),
        (Anomaly.DIRTY_READ, lambda: any(_shows_a_value_of_nobody(op, ops) for op in core)),
        (Anomaly.WRONG_ANSWER, lambda: all(op.row is None for op in core)),
        (Anomaly.DIRTY_READ, lambda: len(core) == 1 and _shows_its_writes(core[0])),
        (Anomaly.STALE_READ, lambda: _is_replaced_and_seen_again(core, ops)),
        (Anomaly.DIRTY_READ, lambda: find_lost_write(core, ops) is None),
    )
    return next((anomaly for anomaly, shows in signs if shows()), Anomaly.LOST_UPDATE)


def find_lost_write(core: Sequence[Op], ops: Sequence[Op]) -> Op | None:
    """The accepted write that `core` contradicts: one of its own, or else one that it shows and then no more."""
    own = next((op for op in core if op.is_accepted and op.may_write), None)
    if own is not None:
        return own
    shown = [set(enumerate(op.row.fields)) for op in sorted(core, key=lambda op: op.invoked_ns) if op.row is not None]
    lost = set[tuple[int, Cell]]().union(*shown[:-1]).difference(*shown[-1:])
    return next((op for op in ops if op.is_accepted and op.may_write and lost.intersection(op.writes)), None)


def _is_foreseen(op: Op) -> bool:
    return op.is_accepted or op.is_unknown or op.status in op.spec.refused.values()


def _is_twice(core: Sequence[Op], kinds: set[Kind]) -> bool:
    # Where a refusal has the status of success, nobody can say which of them it was.
    certain = [op for op in core if op.is_accepted and op.status not in op.spec.refused.values()]
    accepted = Counter((op.spec.name, op.row_id, op.key) for op in certain if op.kind in kinds)
    return any(count > 1 for count in accepted.values())


def _shares_a_key(core: Sequence[Op], ops: Iterable[Op]) -> bool:
    """Whether two rows carry the key of a create of the core at once: no delete of the other one was accepted."""
    rows = {_row_of(op) for op in core if op.is_accepted}
    deleted = {op.row_id for op in ops if op.kind is Kind.DELETE and op.is_accepted}
    return len(rows - deleted) > 1 and any(op.kind is Kind.CREATE and op.is_accepted for op in core)


def _row_of(op: Op) -> str | None:
    return op.row.id if op.row is not None else op.row_id


def _shows_a_value_of_nobody(op: Op, ops: Iterable[Op]) -> bool:
    if op.row is None:
        return False
    written = {(index, cell) for writer in ops if writer.may_write for index, cell in writer.writes}
    return any(cell not in written for cell in enumerate(op.row.fields))


def _is_guarded_on_old(core: Sequence[Op]) -> bool:
    """Whether a transition was accepted although another's answer, the last of the core, says that its guard fails."""
    last = max(core, key=lambda op: op.returned_ns)
    writers = [op for op in core if op.is_accepted and op is not last]
    return (
        last.kind is Kind.TRANSITION
        and last.is_accepted
        and any(
            op.kind is Kind.DELETE or {index for index, _ in op.writes} & {index for index, _ in last.guard}
            for op in writers
        )
    )


def _shows_its_writes(op: Op) -> bool:
    return op.row is not None and all(op.row.fields[index] == cell for index, cell in op.writes)


def _is_replaced_and_seen_again(core: Sequence[Op], ops: Sequence[Op]) -> bool:
    """Whether a later look at the row shows what had replaced it before the last of the core asked."""
    reader = max((op for op in core if op.row is not None or _says_absent(op)), key=lambda op: op.invoked_ns)
    looks = [op for op in ops if op.kind in {Kind.READ, Kind.LIST} and op.invoked_ns > reader.invoked_ns]
    return any(_shows_gone_before(op, reader, ops) or _shows_change_before(op, reader, ops) for op in looks)


def _says_absent(op: Op) -> bool:
    if op.kind is Kind.LIST:
        return op.row is None and not op.guard
    return op.status == op.spec.refused.get(Refusal.ABSENT)


def _shows_gone_before(op: Op, reader: Op, ops: Iterable[Op]) -> bool:
    row_id = _row_of(reader)
    deletes = [other for other in ops if other.kind is Kind.DELETE and other.may_write and other.row_id == row_id]
    return reader.row is not None and op.row_id in {None, row_id} and _says_absent(op) and _had_ended(deletes, reader)


def _shows_change_before(op: Op, reader: Op, ops: Sequence[Op]) -> bool:
    if op.row is None or op.row.id != _row_of(reader):
        return False
    if reader.row is None:
        return True  # Its id was known, so it had been created.
    changed = [cell for cell in enumerate(op.row.fields) if cell not in enumerate(reader.row.fields)]
    return any(_had_ended([each for each in ops if each.may_write and cell in each.writes], reader) for cell in changed)


def _had_ended(writers: Sequence[Op], reader: Op) -> bool:
    return bool(writers) and all(not op.is_unknown and op.returned_ns < reader.invoked_ns for op in writers)
