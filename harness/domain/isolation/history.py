"""One concurrent history: operations with the interval in which each took effect, and what was answered."""

from dataclasses import dataclass

from harness.domain.isolation.scenario import Cell, Kind, OperationSpec

NEVER_NS = 2**63
"""The end of an operation that may still take effect."""

_NO_OUTCOME = frozenset({408, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as a system showed it, or as the model holds it; `fields` in the order of the scenario.

    An `id` of None is one that was never shown: the row of a create whose answer was lost.
    """

    id: str | None
    fields: tuple[Cell, ...]

    def is_shown_as(self, seen: "Row") -> bool:
        """True if `seen` may be this row; an id that was never shown fits any."""
        return self.fields == seen.fields and (self.id is None or self.id == seen.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows by key, in the order of the answer; `total` of all, where it says so; `number` counts from 1."""

    number: int
    size: int
    rows: tuple[tuple[str, Row], ...]
    total: int | None

    @property
    def is_complete(self) -> bool:
        """True if the page holds every row that matched."""
        return self.number == 1 and len(self.rows) < self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation: invoked, answered, and what the answer said; times are of one monotonic clock, in nanoseconds.

    `key` is None for a list. `writes` and `guard` are (index of the field, cell); a create writes all fields, in
    their order. `status` None: no answer, so that
    the operation may have taken effect or not, then or later. `row` is what an accepted operation answered, or the one
    row that a page showed of this key.
    """

    index: int
    client: int
    spec: OperationSpec
    key: str | None
    row_id: str | None = None
    value: int = 0
    writes: tuple[tuple[int, Cell], ...] = ()
    guard: tuple[tuple[int, Cell], ...] = ()
    invoked_ns: int
    returned_ns: int
    status: int | None
    row: Row | None = None
    page: Page | None = None
    is_optional: bool = False
    """Whether it may have had no effect at all: its outcome is unknown, or is left out of account."""

    @property
    def kind(self) -> Kind:
        """The kind of its operation."""
        return self.spec.kind

    @property
    def is_accepted(self) -> bool:
        """True if the answer says that it took effect."""
        return self.status == self.spec.succeeds

    @property
    def is_unknown(self) -> bool:
        """True where nobody can say whether it took effect: no answer, one of 5xx, or one of a limit in between."""
        return self.status is None or self.status in _NO_OUTCOME or self.status >= 500

    @property
    def may_write(self) -> bool:
        """True if it changed a row, or may have."""
        return self.kind not in {Kind.READ, Kind.LIST} and (self.is_accepted or self.is_unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The operations of one round on a few keys, which nobody else touches; `fields` names the cells of its rows."""

    name: str
    keys: tuple[str, ...]
    fields: tuple[str, ...]
    ops: tuple[Op, ...]
