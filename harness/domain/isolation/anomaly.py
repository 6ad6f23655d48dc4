"""Which anomaly a contradiction is, told from the few operations that make it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from harness.domain.isolation.history import Op
from harness.domain.isolation.scenario import Kind


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
    """An answer shows a value that no accepted operation wrote."""
    WRONG_ANSWER = "wrong answer"
    """A status, or a row, that the serial model never gives."""


def classify(core: Sequence[Op], ops: Sequence[Op]) -> Anomaly:
    """The anomaly of `core`, which has no explanation, within all operations and pages of the same keys."""
    signs: tuple[tuple[Anomaly, Callable[[], bool]], ...] = (
        (Anomaly.WRONG_ANSWER, lambda: any(not _is_foreseen(op) for op in core)),
        (Anomaly.PHANTOM_PAGE, lambda: any(op.kind is Kind.LIST for op in core)),
        (Anomaly.DOUBLE_TRANSITION, lambda: _is_twice(core, {Kind.TRANSITION, Kind.DELETE})),
        (Anomaly.WRITE_SKEW, lambda: _shares_a_key(core, ops) or _is_guarded_on_old(core)),
        (Anomaly.DIRTY_READ, lambda: any(_shows_a_value_of_nobody(op, ops) for op in core)),
        (Anomaly.WRONG_ANSWER, lambda: all(op.row is None for op in core)),
    )
    return next((anomaly for anomaly, shows in signs if shows()), None) or _of_replaced_value(core, ops)


def _is_foreseen(op: Op) -> bool:
    return op.is_accepted or op.is_unknown or op.status in op.spec.refused.values()


def _is_twice(core: Sequence[Op], kinds: set[Kind]) -> bool:
    accepted = Counter((op.spec.name, op.row_id, op.key) for op in core if op.is_accepted and op.kind in kinds)
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
    created = {index for writer in ops if writer.kind is Kind.CREATE for index, _ in writer.writes}
    # What no create writes is null at first.
    return any(
        (index, cell) not in written and not (cell is None and index not in created)
        for index, cell in enumerate(op.row.fields)
    )


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


def _of_replaced_value(core: Sequence[Op], ops: Sequence[Op]) -> Anomaly:
    """Stale where a later answer shows another row than the last one of the core does, else lost."""
    reader = max((op for op in core if op.row is not None), key=lambda op: op.invoked_ns)
    for op in ops:
        is_later = op.invoked_ns > reader.invoked_ns and op.kind in {Kind.READ, Kind.LIST}
        is_gone = not op.is_accepted or op.row is None
        if is_later and _is_about(op, reader) and (is_gone or _has_unwritten_change(op, reader, ops)):
            return Anomaly.STALE_READ
    return Anomaly.LOST_UPDATE


def _is_about(op: Op, reader: Op) -> bool:
    return op.kind is Kind.LIST or op.row_id == _row_of(reader)


def _has_unwritten_change(op: Op, reader: Op, ops: Iterable[Op]) -> bool:
    """Whether `op` shows a value that only a write before `reader` can have made."""
    assert op.row is not None and reader.row is not None  # noqa: S101 - asked of such alone
    for index, (now, then) in enumerate(zip(op.row.fields, reader.row.fields, strict=True)):
        writers = [writer for writer in ops if writer.may_write and (index, now) in writer.writes]
        if now != then and writers and all(writer.returned_ns < reader.invoked_ns for writer in writers):
            return True
    return False
