"""The serial model: what each operation answers, and leaves, where operations come one at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.domain.isolation.history import Op, Page, Row
from harness.domain.isolation.scenario import Cell, Kind, Refusal

KeyState = Row | None
"""The row that carries a key, or that none does."""
Keyspace = tuple[KeyState, ...]
"""The states of several keys, in the order of their names."""


class _Unexplained:
    """What a model returns where no serial system in this state would have answered so."""


UNEXPLAINED = _Unexplained()
State = TypeVar("State")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Generic[State]):
    """A serial system: `explain` gives the state after an operation, UNEXPLAINED where its answer does not fit."""

    initial: State
    explain: Callable[[State, Op], State | _Unexplained]
    cell_of: Callable[[State, str, int], Cell]
    """What a key's row holds in a field; null where there is no row."""


def explain_key(state: KeyState, op: Op) -> KeyState | _Unexplained:
    """The state of the one key after `op`; UNEXPLAINED if its answer cannot come from this state."""
    if op.kind is Kind.LIST:
        return state if _page_shows(state, op) else UNEXPLAINED
    refusal, after = _serve(state, op)
    if op.is_optional:
        return state if refusal else after
    if op.status == op.spec.refused.get(Refusal.CONFLICT):
        return state
    if op.status != (op.spec.refused[refusal] if refusal else op.spec.succeeds):
        return UNEXPLAINED
    if refusal or op.row is None:
        return after
    shown = state if op.kind is Kind.DELETE else after
    return after if shown is not None and shown.is_shown_as(op.row) else UNEXPLAINED


def _cell_of_key(state: KeyState, _: str, index: int) -> Cell:
    return None if state is None else state.fields[index]


KEY_MODEL: Model[KeyState] = Model(initial=None, explain=explain_key, cell_of=_cell_of_key)
"""The model of one key, without a row at first."""


def keyspace_model(keys: tuple[str, ...]) -> Model[Keyspace]:
    """The model of all of `keys` at once, without a row at first: a page shows them all as of one moment."""
    ordered = sorted(keys)
    positions = {key: ordered.index(key) for key in keys}

    def explain(state: Keyspace, op: Op) -> Keyspace | _Unexplained:
        if op.kind is Kind.LIST:
            return state if op.page is not None and _is_page_of(state, ordered, op, op.page) else UNEXPLAINED
        position = positions[op.key or ""]
        after = explain_key(state[position], op)
        if isinstance(after, _Unexplained):
            return UNEXPLAINED
        return state if after is state[position] else (*state[:position], after, *state[position + 1 :])

    def cell_of(state: Keyspace, key: str, index: int) -> Cell:
        return _cell_of_key(state[positions[key]], key, index) if key in positions else None

    return Model(initial=(None,) * len(keys), explain=explain, cell_of=cell_of)


def matches(row: Row, guard: tuple[tuple[int, Cell], ...]) -> bool:
    """True if the row holds what the guard asks for."""
    return all(row.fields[index] == cell for index, cell in guard)


def _serve(state: KeyState, op: Op) -> tuple[Refusal | None, KeyState]:
    if op.kind is Kind.CREATE:
        return (Refusal.TAKEN, state) if state is not None else (None, _created(op))
    if state is None or state.id != op.row_id:
        return Refusal.ABSENT, state
    if op.kind is Kind.TRANSITION and not matches(state, op.guard):
        return Refusal.GUARD, state
    if op.kind is Kind.DELETE:
        return None, None
    return None, _written(state, op)


def _created(op: Op) -> Row:
    return Row(id=op.row.id if op.row else None, fields=tuple(cell for _, cell in op.writes))


def _written(row: Row, op: Op) -> Row:
    if not op.writes or matches(row, op.writes):
        return row
    fields = list(row.fields)
    for index, cell in op.writes:
        fields[index] = cell
    return Row(id=row.id, fields=tuple(fields))


def _page_shows(state: KeyState, op: Op) -> bool:
    """Whether the page's view of one key fits; `row` None says that the key is not on a page that holds all."""
    if op.row is not None:
        return state is not None and state.is_shown_as(op.row) and matches(state, op.guard)
    return state is None or not matches(state, op.guard)


def _is_page_of(state: Keyspace, keys: list[str], op: Op, page: Page) -> bool:
    matching = [(key, row) for key, row in zip(keys, state, strict=True) if row is not None and matches(row, op.guard)]
    first = (page.number - 1) * page.size
    expected = matching[first : first + page.size]
    if page.total not in {None, len(matching)} or len(page.rows) != len(expected):
        return False
    pairs = zip(expected, page.rows, strict=True)
    return all(key == seen and row.is_shown_as(shown) for (key, row), (seen, shown) in pairs)
