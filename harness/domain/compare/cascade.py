"""What follows from rows that a waived step left different on the two sides.

While such rows exist, an answer computed from them cannot agree: later values, list elements, order and statuses
are then *cascaded* and counted apart. What no row explains stays a difference: headers, types, number forms, clocks,
members that an object lacks, and whatever belongs to an object whose own id is another row's. A row difference
cascades only for a row that is apart. Where no database is seen, every later difference cascades, since nothing tells
them apart.
"""

from dataclasses import dataclass, field
from typing import Any

from harness.domain.compare.answers import Answer
from harness.domain.compare.pointer import parse_pointer
from harness.domain.compare.rows import key_pointer
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.record import StepRecord

_FROM_STATE = frozenset({DifferenceKind.VALUE, DifferenceKind.ORDER, DifferenceKind.IDENTITY})


@dataclass(slots=True, kw_only=True)
class Cascade:
    """The rows that are apart, by pointer, and the waivers that let them."""

    sees_state: bool
    rows: set[str] = field(default_factory=set)
    causes: list[str] = field(default_factory=list)
    is_total: bool = False

    @property
    def is_active(self) -> bool:
        """Whether later differences may follow from a waived one."""
        return self.is_total or bool(self.rows)

    @property
    def note(self) -> str:
        """Names the waivers that it follows from."""
        return f"follows from the state that waiver {', '.join(dict.fromkeys(self.causes))} left different"

    def start(self, waived: list[Difference], waivers: list[str]) -> None:
        """A waived step left the states apart."""
        self.causes += waivers
        self.is_total |= not self.sees_state
        self.rows |= {_row_of(difference.pointer) for difference in waived if difference.facet is Facet.ROW}

    def end_lives(self, record: StepRecord) -> None:
        """Rows that are gone on the side that had them are apart no longer."""
        for change in (*record.legacy_changes, *record.target_changes):
            if change.after is None:
                self.rows.discard(key_pointer(change.table, change.key))

    def split(self, left: list[Difference], legacy: Answer) -> tuple[list[Difference], list[Difference]]:
        """A step's unexplained differences: those that stay, and those that cascade."""
        if not self.is_active:
            return left, []
        has_status = any(difference.facet is Facet.STATUS for difference in left)
        stays, cascaded = list[Difference](), list[Difference]()
        for difference in left:
            (cascaded if self._follows(difference, legacy.body, has_status) else stays).append(difference)
        return stays, cascaded

    def _follows(self, difference: Difference, body: Any, has_status: bool) -> bool:
        if self.is_total:
            return difference.facet is not Facet.TRANSPORT
        if difference.facet is Facet.ROW:
            return _row_of(difference.pointer) in self.rows
        if difference.facet is Facet.STATUS:
            return True
        if difference.facet is not Facet.BODY:
            return has_status and difference.facet is Facet.HEADER
        return has_status or (_is_from_state(difference) and not self._is_another_row(difference, body))

    def _is_another_row(self, difference: Difference, body: Any) -> bool:
        """Whether the value belongs to an object that names a row which is not apart."""
        tokens = parse_pointer(difference.pointer)
        if tokens and tokens[-1].isdigit():
            return False  # a whole element came or went
        owner: Any = None
        for token in ("", *tokens):
            if token:
                body = _child(body, token)
            if isinstance(body, dict) and "id" in body:
                owner = body["id"]
        return owner is not None and not any(row.endswith(f"/{owner}") for row in self.rows)


def _is_from_state(difference: Difference) -> bool:
    if difference.kind in _FROM_STATE:
        return True
    if difference.kind is DifferenceKind.TYPE:
        return "null" in (difference.legacy, difference.target)  # an average of nothing
    is_presence = difference.kind in (DifferenceKind.MISSING, DifferenceKind.EXTRA)
    return is_presence and difference.pointer.rpartition("/")[2].isdigit()


def _child(body: Any, token: str) -> Any:
    try:
        return body[int(token)] if isinstance(body, list) else body[token]
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _row_of(pointer: str) -> str:
    return "/".join(pointer.split("/")[:3])
