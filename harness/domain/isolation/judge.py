"""Judges one history: every key by itself, then all keys at once, as pages show them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.domain.isolation.anomaly import Anomaly, classify, find_lost_write
from harness.domain.isolation.history import NEVER_NS, History, Op
from harness.domain.isolation.linearise import Answer, linearise
from harness.domain.isolation.model import KEY_MODEL, Model, keyspace_model
from harness.domain.isolation.pages import ops_of_key, without_pages
from harness.domain.isolation.scenario import Kind
from harness.domain.isolation.shrink import shrink

BUDGET = 200_000
_SHOWN_CONTEXT = 4

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A contradiction: `core` is the smallest part that has no explanation, `context` what shaped the same rows.

    `keys` are those that the core speaks of.
    """

    anomaly: Anomaly
    operation: str
    history: str
    keys: tuple[str, ...]
    fields: tuple[str, ...]
    core: tuple[Op, ...]
    context: tuple[Op, ...]

    @property
    def title(self) -> str:
        """In a few words, such as `double close` or `lost update of rename`."""
        if self.anomaly is Anomaly.DOUBLE_TRANSITION:
            return f"double {self.operation}"
        return f"{self.anomaly} of {self.operation}" if self.anomaly is Anomaly.LOST_UPDATE else str(self.anomaly)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of one history; `undecided` counts searches that were given up."""

    searches: int
    undecided: int
    findings: tuple[Finding, ...]


def judge_history(history: History, budget: int = BUDGET) -> Judgement:
    """Findings of every key that has no serial explanation; of the pages where all keys have one.

    Every key is searched without its pages first, so that a page is blamed only for what it alone shows.
    """
    searched: list[tuple[Answer, Finding | None]] = []
    for key in history.keys:
        ops = ops_of_key(history, key)
        searched.append(_search(history, without_pages(ops), KEY_MODEL, budget))
        if searched[-1][0] is Answer.LINEARISABLE and len(without_pages(ops)) < len(ops):
            searched.append(_search(history, ops, KEY_MODEL, budget))
    if all(answer is Answer.LINEARISABLE for answer, _ in searched) and any(op.kind is Kind.LIST for op in history.ops):
        searched.append(_search(history, history.ops, keyspace_model(history.keys), budget))
    return Judgement(
        searches=len(searched),
        undecided=sum(answer is Answer.UNDECIDED for answer, _ in searched),
        findings=tuple(finding for _, finding in searched if finding is not None),
    )


def _search(history: History, ops: Sequence[Op], model: Model[State], budget: int) -> tuple[Answer, Finding | None]:
    ops = [replace(op, is_optional=True, returned_ns=NEVER_NS) if op.is_unknown else op for op in ops]
    ops = [op for op in ops if not op.is_optional or op.may_write]
    answer = linearise(ops, model, budget).answer
    if answer is not Answer.NOT_LINEARISABLE:
        return answer, None
    return answer, _finding(history, ops, shrink(ops, model))


def _finding(history: History, ops: Sequence[Op], core: tuple[Op, ...]) -> Finding:
    seen = [op for key in dict.fromkeys(key for op in core for key in _keys(op)) for op in ops_of_key(history, key)]
    anomaly = classify(core, seen)
    return Finding(
        anomaly=anomaly,
        operation=_blamed(anomaly, core, seen).spec.name,
        history=history.name,
        keys=tuple(dict.fromkeys(key for op in core for key in _keys(op))),
        fields=history.fields,
        core=tuple(sorted(core, key=lambda op: op.invoked_ns)),
        context=tuple(_context(anomaly, ops, core)),
    )


def _keys(op: Op) -> tuple[str, ...]:
    if op.key is not None:
        return (op.key,)
    return tuple(key for key, _ in op.page.rows) if op.page is not None else ()


def _blamed(anomaly: Anomaly, core: Sequence[Op], ops: Sequence[Op]) -> Op:
    if anomaly is Anomaly.DOUBLE_TRANSITION:
        return next(op for op in core if op.kind in {Kind.TRANSITION, Kind.DELETE})
    return find_lost_write(core, ops) or core[0]


def _context(anomaly: Anomaly, ops: Sequence[Op], core: Sequence[Op]) -> Sequence[Op]:
    """The first that overlap the core and tell how it came about: what a write was lost to, what half of was shown."""
    chosen = {op.index for op in core}
    shapes = {Anomaly.LOST_UPDATE: _ignores, Anomaly.DIRTY_READ: _is_shown_by}.get(anomaly)
    if shapes is None:
        return ()
    overlapping = [
        op
        for op in sorted(ops, key=lambda op: op.invoked_ns)
        if op.index not in chosen and any(_overlaps(op, each) and shapes(op, each) for each in core)
    ]
    return overlapping[:_SHOWN_CONTEXT]


def _overlaps(op: Op, other: Op) -> bool:
    return op.key == other.key and op.invoked_ns <= other.returned_ns and other.invoked_ns <= op.returned_ns


def _ignores(op: Op, write: Op) -> bool:
    """Whether both are accepted writes, and this one does not show the other."""
    shows = op.row is not None and all(op.row.fields[index] == cell for index, cell in write.writes)
    return all(each.is_accepted and each.may_write for each in (op, write)) and not shows


def _is_shown_by(op: Op, reader: Op) -> bool:
    """Whether the reader shows something that this one, accepted or not, was to write."""
    return reader.row is not None and any(reader.row.fields[index] == cell for index, cell in op.writes)
