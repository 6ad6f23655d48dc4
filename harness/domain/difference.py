"""What differs between the two sides, and what became of each comparison."""

from dataclasses import dataclass
from enum import StrEnum


class Facet(StrEnum):
    """Where a difference was seen."""

    TRANSPORT = "transport"
    STATUS = "status"
    HEADER = "header"
    BODY = "body"
    ROW = "row"
    OBJECT = "object"
    SCHEMA = "schema"


class DifferenceKind(StrEnum):
    """How two values differ."""

    VALUE = "value"
    TYPE = "type"
    REPRESENTATION = "representation"
    """Same number, other text: 10 against 10.0."""
    MISSING = "missing"
    """The legacy has it, the target does not."""
    EXTRA = "extra"
    """The target has it, the legacy does not."""
    ORDER = "order"
    DUPLICATE_KEY = "duplicate_key"
    ENCODING = "encoding"
    UNREADABLE = "unreadable"
    IDENTITY = "identity"
    """Breaks the bijection between the two sides' row incarnations."""
    CLOCK = "clock"
    """A clock value outside the window in which it can have been read."""


class Outcome(StrEnum):
    """What became of one compared exchange; all are counted and shown."""

    IDENTICAL = "identical"
    EQUIVALENT = "equivalent"
    WAIVED = "waived"
    NOISY = "noisy"
    CASCADED = "cascaded"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where the sides differ.

    `pointer` is RFC 6901 into the body, a header's lower-case name for headers, `/table/key/column` for rows,
    and empty for the status. `legacy` and `target` are JSON texts of the values, None where absent.
    """

    facet: Facet
    pointer: str
    kind: DifferenceKind
    legacy: str | None
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The outcome of one exchange pair with all its differences, in document order."""

    session_id: str
    group: str
    step: int
    name: str
    operation: str
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    waived: tuple[Difference, ...] = ()
    noisy: tuple[Difference, ...] = ()
    cascaded: tuple[Difference, ...] = ()
    """What follows from rows that a waived step left different."""
    cascades_from: tuple[str, ...] = ()
    """Ids of the waivers of those steps, where anything cascades."""
    equivalent: tuple[Difference, ...] = ()
    """What normalisation explains: order open among ties, header spellings. Shown, never judged."""
    waivers: tuple[str, ...] = ()
    """Ids of the waivers that explain the differences in `waived`."""
    note: str = ""
