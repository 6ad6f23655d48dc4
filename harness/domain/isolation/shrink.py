"""The smallest part of a history that still has no serial explanation.

Nothing is taken away that could have explained the rest: a write that is left out of account may still have happened
within its interval, or not. So a part that has no explanation is no artefact of the shrinking.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from harness.domain.isolation.history import Op
from harness.domain.isolation.linearise import Answer, linearise
from harness.domain.isolation.model import Model
from harness.domain.shrinking import Kept, minimise

_BUDGET = 5_000

State = TypeVar("State", bound=Hashable)


def shrink(ops: Sequence[Op], model: Model[State]) -> tuple[Op, ...]:
    """The operations whose answers contradict each other: with any one of them left out of account, none does.

    `ops` are taken to have no explanation. Where a search is too long, the part is kept whole.
    """

    def is_unexplained(part: Sequence[Op]) -> bool:
        return linearise(part, model, _BUDGET).answer is Answer.NOT_LINEARISABLE

    ops = _first_contradiction(ops, is_unexplained)
    search = minimise(tuple(position for position, op in enumerate(ops) if not op.is_optional))
    kept = next(search)
    while True:
        try:
            kept = search.send(is_unexplained(_relaxed(ops, kept)))
        except StopIteration as end:
            return tuple(ops[position] for position in end.value)


def _first_contradiction(ops: Sequence[Op], is_unexplained: Callable[[Sequence[Op]], bool]) -> Sequence[Op]:
    """What was answered until the first answer that has no explanation; what was under way then may have happened."""
    ends = sorted(op.returned_ns for op in ops if not op.is_optional)
    first, last = 0, len(ends) - 1
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if is_unexplained(_until(ops, ends[middle])) else (middle + 1, last)
    part = _until(ops, ends[first])
    return part if is_unexplained(part) else ops


def _until(ops: Sequence[Op], end_ns: int) -> list[Op]:
    return [
        op if op.returned_ns <= end_ns else replace(op, is_optional=True)
        for op in ops
        if op.returned_ns <= end_ns or (op.invoked_ns <= end_ns and op.may_write)
    ]


def _relaxed(ops: Sequence[Op], kept: Kept) -> list[Op]:
    chosen = set(kept)
    return [
        op if position in chosen else replace(op, is_optional=True)
        for position, op in enumerate(ops)
        if position in chosen or op.may_write
    ]
