"""Whether a history is linearizable: some order of its operations explains every answer and respects real time.

Source: Wing and Gong, Testing and Verifying Concurrent Objects (1993); Lowe, Testing for Linearizability (2017), for
remembering the configurations that were met before.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar, cast

from harness.domain.isolation.history import Op
from harness.domain.isolation.model import UNEXPLAINED, Model
from harness.domain.isolation.sights import Sights

State = TypeVar("State", bound=Hashable)


class Answer(StrEnum):
    """What the search found."""

    LINEARISABLE = "linearizable"
    NOT_LINEARISABLE = "not linearizable"
    UNDECIDED = "undecided"
    """The budget was used up first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The answer, and how many configurations it took."""

    answer: Answer
    configurations: int


def linearise(ops: Sequence[Op], model: Model[State], budget: int = 200_000) -> Search:
    """Search for an order in which all operations stand; optional ones, which are always writes, may be left out.

    The verdict depends on nothing but the arguments; `budget` bounds the configurations.
    """
    return _Searcher(ops, model).run(budget)


class _Searcher(Generic[State]):
    """One search; a set of operations is an integer with a bit for each."""

    def __init__(self, ops: Sequence[Op], model: Model[State]) -> None:
        self._model = model
        self._known: dict[tuple[int, State], tuple[object]] = {}
        self._ops = sorted(ops, key=lambda op: (op.returned_ns, op.invoked_ns))
        self._bits = [1 << position for position in range(len(self._ops))]
        self._needed = sum(bit for op, bit in self._each() if not op.is_optional)
        self._before = [
            sum(bit for op, bit in self._each() if not op.is_optional and op.returned_ns < later.invoked_ns)
            for later in self._ops
        ]
        self._too_late_after = [
            sum(bit for op, bit in self._each() if op.invoked_ns > earlier.returned_ns) if earlier.is_optional else 0
            for earlier in self._ops
        ]
        self._sights = Sights(self._ops, model.cell_of)
        self._optional = [position for position, op in enumerate(self._ops) if op.is_optional]

    def run(self, budget: int) -> Search:
        """Depth first, the operation that ended first before others."""
        seen: set[tuple[int, State]] = set()
        waiting: list[tuple[int, State]] = [(0, self._model.initial)]
        while waiting:
            done, state = self._advance(*waiting.pop())
            if done & self._needed == self._needed:
                return Search(answer=Answer.LINEARISABLE, configurations=len(seen))
            if (done, state) in seen:
                continue
            if len(seen) >= budget:
                return Search(answer=Answer.UNDECIDED, configurations=len(seen))
            seen.add((done, state))
            if self._sights.are_lost(done, state):
                continue
            # The last that is put there is looked at first.
            waiting += [
                (done | self._bits[position], after) for position, after in reversed(self._changes(done, state))
            ]
        return Search(answer=Answer.NOT_LINEARISABLE, configurations=len(seen))

    def _advance(self, done: int, state: State) -> tuple[int, State]:
        """Takes every answer that fits now and is of no write: nothing is lost by taking it at once.

        A write that changes nothing now is not taken so: it may have to come later, where it does.
        """
        moved = True
        while moved:
            moved = False
            for position in self._candidates(done):
                op = self._ops[position]
                if op.may_write or op.is_optional or self._shuts_out(done, position):
                    continue
                if self._after(state, position) == state:
                    done |= self._bits[position]
                    moved = True
        return done, state

    def _changes(self, done: int, state: State) -> list[tuple[int, State]]:
        found = []
        for position in self._candidates(done):
            after = self._after(state, position)
            if after is not UNEXPLAINED and not (after == state and self._ops[position].is_optional):
                found.append((position, cast(State, after)))
        return found

    def _after(self, state: State, position: int) -> object:
        """What the model says, asked once: many orders lead to the same few states."""
        known = self._known.get((position, state))
        if known is None:
            known = self._known[position, state] = (self._model.explain(state, self._ops[position]),)
        return known[0]

    def _candidates(self, done: int) -> list[int]:
        return [
            position
            for position, bit in enumerate(self._bits)
            if not done & bit and not self._before[position] & ~done and not self._too_late_after[position] & done
        ]

    def _shuts_out(self, done: int, position: int) -> bool:
        """Whether taking it would be too late for an optional operation that could still come."""
        return any(
            late & self._bits[position] and not late & done and not self._bits[other] & done
            for other in self._optional
            for late in [self._too_late_after[other]]
        )

    def _each(self) -> Iterable[tuple[Op, int]]:
        return zip(self._ops, self._bits, strict=True)
