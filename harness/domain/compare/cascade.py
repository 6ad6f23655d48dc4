"""What follows from rows that a waived step left different on the two sides.

While such rows exist, an answer computed from them cannot agree: later values, list elements and statuses are then
*cascaded* and counted apart. What no row explains stays a difference: headers, types, number forms, clocks, members
that an object lacks, order (unless a row that both have differs), statuses such as 401 or 503, an element that is
missing where only the legacy has a row more, and whatever belongs to an object whose own id is another row's. A row
difference cascades only for a row that is apart. Where no database is seen, every later difference cascades, since
nothing tells them apart.
"""

from dataclasses import dataclass, field
from typing import Any

from harness.domain.compare.answers import Answer
from harness.domain.compare.document import parse_json
from harness.domain.compare.pointer import parse_pointer
from harness.domain.compare.rows import key_pointer
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.record import StepRecord

_NEVER_FROM_STATE = frozenset({"401", "403", "405", "415", "429", "502", "503", "504"})
"""Statuses that no row can bring about."""
_BOTH = DifferenceKind.VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Differences that stay, those that cascade, and the waivers that left rows apart until then."""

    stays: list[Difference] = field(default_factory=list)
    cascaded: list[Difference] = field(default_factory=list)
    waivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Apart:
    """MISSING for a row of the legacy only, EXTRA for one of the target only, VALUE for one that both have."""

    kind: DifferenceKind
    waivers: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Cascade:
    """The rows that are apart, by pointer, or with no database seen the waivers that may have left some so."""

    sees_state: bool
    apart: dict[str, _Apart] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    @property
    def is_active(self) -> bool:
        """Whether later differences may follow from a waived one."""
        return bool(self.unseen or self.apart)

    def start(self, waived: list[Difference], waivers: list[str]) -> None:
        """A waived step left the states apart."""
        if not self.sees_state:
            self.unseen += waivers
        for difference in waived:
            if difference.facet is Facet.ROW:
                row = _row_of(difference.pointer)
                is_presence = difference.kind in (DifferenceKind.MISSING, DifferenceKind.EXTRA)
                before = self.apart[row].waivers if row in self.apart else ()
                self.apart[row] = _Apart(difference.kind if is_presence else _BOTH, (*before, *waivers))

    def end_lives(self, record: StepRecord) -> None:
        """Rows that are gone on the side that had them are apart no longer."""
        for change in (*record.legacy_changes, *record.target_changes):
            if change.after is None:
                self.apart.pop(key_pointer(change.table, change.key), None)

    @property
    def _waivers(self) -> tuple[str, ...]:
        named = [*self.unseen, *(name for row in self.apart.values() for name in row.waivers)]
        return tuple(dict.fromkeys(named))

    def split(self, left: list[Difference], legacy: Answer) -> Followed:
        """A step's differences that no waiver explains, as rows that are apart by now explain them."""
        if not self.is_active:
            return Followed(stays=left)
        has_status = any(difference.facet is Facet.STATUS for difference in left)
        found = Followed(waivers=self._waivers)
        for difference in left:
            follows = self._follows(difference, legacy.body, has_status)
            (found.cascaded if follows else found.stays).append(difference)
        return found

    def _follows(self, difference: Difference, body: Any, has_status: bool) -> bool:
        if self.unseen:
            return difference.facet is not Facet.TRANSPORT
        if difference.facet is Facet.ROW:
            return _row_of(difference.pointer) in self.apart
        if difference.facet is Facet.STATUS:
            return not {difference.legacy, difference.target} & _NEVER_FROM_STATE
        if difference.facet is not Facet.BODY:
            return has_status and difference.facet is Facet.HEADER
        return has_status or self._is_from_state(difference, body)

    def _is_from_state(self, difference: Difference, body: Any) -> bool:
        kinds = {row.kind for row in self.apart.values()}
        if difference.kind is DifferenceKind.ORDER:
            return _BOTH in kinds  # a row more or less does not move the others
        if difference.kind in (DifferenceKind.MISSING, DifferenceKind.EXTRA):
            return not _is_there_twice(difference, body) and self._is_element_from_state(difference, kinds)
        if difference.kind is DifferenceKind.TYPE and "null" not in (difference.legacy, difference.target):
            return False  # an average of nothing is null, no row makes a number a text
        is_value = difference.kind in (DifferenceKind.VALUE, DifferenceKind.IDENTITY, DifferenceKind.TYPE)
        return is_value and self._is_of_row_apart(_owner_id(body, difference.pointer), default=True)

    def _is_element_from_state(self, difference: Difference, kinds: set[DifferenceKind]) -> bool:
        """Whether a list's element is a row that is apart, or came to a full page because one is not on it."""
        if not difference.pointer.rpartition("/")[2].isdigit():
            return False
        element = parse_json((difference.legacy or difference.target or "").encode("utf-8", "surrogatepass"))
        value = element.value if element is not None else None
        if isinstance(value, dict) and self._is_of_row_apart(value.get("id"), default=False):
            return True
        other = DifferenceKind.EXTRA if difference.kind is DifferenceKind.MISSING else DifferenceKind.MISSING
        return other in kinds or _BOTH in kinds

    def _is_of_row_apart(self, owner: Any, *, default: bool) -> bool:
        return default if owner is None else any(row.endswith(f"/{owner}") for row in self.apart)


def _is_there_twice(difference: Difference, body: Any) -> bool:
    """Whether the target's element more is one that the legacy's list has too: no row apart doubles another."""
    if difference.kind is not DifferenceKind.EXTRA:
        return False
    element = parse_json((difference.target or "").encode("utf-8", "surrogatepass"))
    key = element.value.get("id") if element is not None and isinstance(element.value, dict) else None
    siblings = body
    for token in parse_pointer(difference.pointer)[:-1]:
        siblings = _child(siblings, token)
    return key is not None and isinstance(siblings, list) and any(_child(row, "id") == key for row in siblings)


def _owner_id(body: Any, pointer: str) -> Any:
    """The id of the innermost object around the pointer that has one."""
    owner = body.get("id") if isinstance(body, dict) else None
    for token in parse_pointer(pointer):
        body = _child(body, token)
        if isinstance(body, dict) and "id" in body:
            owner = body["id"]
    return owner


def _child(body: Any, token: str) -> Any:
    try:
        return body[int(token)] if isinstance(body, list) else body[token]
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _row_of(pointer: str) -> str:
    return "/".join(pointer.split("/")[:3])
