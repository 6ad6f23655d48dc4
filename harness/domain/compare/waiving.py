"""Applies waivers to a step: both sides must do what the waiver says, and nothing else may differ."""

from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

from harness.domain.compare.answers import Answer
from harness.domain.compare.document import parse_json
from harness.domain.compare.pattern import is_everything, is_match, leaves_open
from harness.domain.compare.pointer import ABSENT, parse_pointer
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.exchange import Headers, Request
from harness.domain.normalise import normalise_pointer
from harness.domain.record import StepRecord
from harness.domain.waiver import ID_REUSE, REQUEST_HEADER, Expectation, RowState, SideExpectation, Waiver

_BENEATH_PATTERNS = frozenset({DifferenceKind.DUPLICATE_KEY, DifferenceKind.ENCODING, DifferenceKind.UNREADABLE})
"""What a pattern over parsed values cannot have asserted."""


@dataclass(slots=True, kw_only=True)
class Waiving:
    """What waivers explain of one step's differences."""

    left: list[Difference]
    waived: list[Difference] = field(default_factory=list)
    waivers: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    leaves_apart: bool = False
    """Whether the two states are different afterwards because a waiver says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """The waivers of today."""

    waivers: tuple[Waiver, ...]
    today: date
    compares_state: bool

    def apply(self, record: StepRecord, legacy: Answer, target: Answer, differences: list[Difference]) -> Waiving:
        """Sorts a step's differences into those that some waiver explains and those that are left."""
        applied = Waiving(left=list(differences))
        for waiver in self.waivers:
            if not applied.left:
                break
            if waiver.expect is None or not _is_about(waiver, record):
                continue
            problem = self._find_problem(waiver, waiver.expect, record, (legacy, target))
            if problem:
                applied.notes.append(f"waiver {waiver.id} does not apply: {problem}")
            else:
                _explain(waiver, waiver.expect, applied)
        if not applied.left:
            applied.notes.clear()  # another waiver explains it: which ones do not is of no interest
        return applied

    def id_reuse(self, operation: str) -> str:
        """The waiver that the legacy's reuse of an id is reported under; empty where there is none."""
        for waiver in self.waivers:
            operations = waiver.match.operations
            is_here = not operations or any(_is_operation(pattern, operation) for pattern in operations)
            if waiver.match.event == ID_REUSE and is_here and not waiver.is_expired(self.today):
                return waiver.id
        return ""

    def _find_problem(
        self, waiver: Waiver, expect: Expectation, record: StepRecord, answers: tuple[Answer, Answer]
    ) -> str:
        if waiver.is_expired(self.today):
            return f"it expired on {waiver.expires_on.isoformat()}"
        sent = record.pair.legacy.request.headers
        for name, side, answer in (("legacy", expect.legacy, answers[0]), ("target", expect.target, answers[1])):
            problem = _find_side_problem(side, answer, sent)
            if problem:
                return f"the {name} {problem}"
        if self.compares_state and not _is_row_state(waiver.rows.state, record):
            return f"the rows are not as it says ({waiver.rows.state})"
        return ""


def _is_about(waiver: Waiver, record: StepRecord) -> bool:
    match, request = waiver.match, record.pair.legacy.request
    if not any(_is_operation(pattern, record.pair.operation) for pattern in match.operations):
        return False
    query = dict(parse_qsl(request.url.partition("?")[2], keep_blank_values=True))
    if not all(is_match(pattern, query.get(name, ABSENT)) for name, pattern in match.query.items()):
        return False
    headers = {name.lower(): value for name, value in request.headers}
    if not all(is_match(pattern, headers.get(name.lower(), ABSENT)) for name, pattern in match.headers.items()):
        return False
    return match.body is None or is_match(match.body, _request_body(request), is_partial=True)


def _is_operation(pattern: str, operation: str) -> bool:
    """`*` stands for one segment or a part of one."""
    mine, theirs = pattern.split("/"), operation.split("/")
    return len(mine) == len(theirs) and all(a == b or fnmatchcase(b, a) for a, b in zip(mine, theirs, strict=True))


def _request_body(request: Request) -> Any:
    document = parse_json(request.body) if request.body else None
    if document is not None:
        return document.value
    return request.body.decode("utf-8", "replace") if request.body else ABSENT


def _find_side_problem(expected: SideExpectation, answer: Answer, sent: Headers) -> str:
    if answer.status not in expected.statuses:
        return f"answered {answer.status}, not {' or '.join(map(str, expected.statuses))}"
    if not is_match(expected.body, answer.body):
        return "answered another body than it says"
    for name, pattern in expected.headers.items():
        if not _is_header_match(pattern, _header(answer.headers, name), sent):
            return f"sent another {name} than it says"
    return ""


def _is_header_match(pattern: Any, value: Any, sent: Headers) -> bool:
    if isinstance(pattern, str) and pattern.startswith(REQUEST_HEADER):
        return value is not ABSENT and bool(value == _header(sent, pattern.removeprefix(REQUEST_HEADER)))
    return is_match(pattern, value)


def _header(headers: Headers, name: str) -> Any:
    values = [value for key, value in headers if key.lower() == name.lower()]
    return ", ".join(values) if values else ABSENT


def _is_row_state(state: RowState, record: StepRecord) -> bool:
    stored = bool(record.legacy_changes), bool(record.target_changes)
    return {
        RowState.SAME: True,  # row differences are then left, not explained
        RowState.LEGACY_ONLY_STORES: stored == (True, False),
        RowState.TARGET_ONLY_STORES: stored == (False, True),
        RowState.BOTH_STORE: stored == (True, True),
    }[state]


def _explain(waiver: Waiver, expect: Expectation, applied: Waiving) -> None:
    covered, left = list[Difference](), list[Difference]()
    for difference in applied.left:
        (covered if _covers(waiver, expect, difference) else left).append(difference)
    if not covered:
        return
    applied.left = left
    applied.waived += covered
    applied.waivers.append(waiver.id)
    applied.leaves_apart |= waiver.rows.state is not RowState.SAME


def _covers(waiver: Waiver, expect: Expectation, difference: Difference) -> bool:
    if difference.facet is Facet.STATUS:
        return True
    if difference.facet is Facet.BODY:
        return _covers_body(waiver, expect, difference)
    if difference.facet is Facet.HEADER:
        named = [{name.lower() for name in side.headers} for side in (expect.legacy, expect.target)]
        return difference.pointer in named[0] & named[1]
    return difference.facet is Facet.ROW and _covers_row(waiver, difference)


def _covers_body(waiver: Waiver, expect: Expectation, difference: Difference) -> bool:
    if difference.kind in _BENEATH_PATTERNS:
        return False
    # Where a pattern says nothing, only another value is waived: not its absence, not its type.
    says_nothing = is_everything(expect.legacy.body) or is_everything(expect.target.body)
    if (says_nothing and not _is_value(difference)) or _is_left_open(expect, difference):
        return False
    pointers = waiver.match.pointers
    return not pointers or normalise_pointer(difference.pointer) in pointers


def _is_left_open(expect: Expectation, difference: Difference) -> bool:
    """Whether it is more than another value, at a place that the target's pattern leaves open.

    What the target has too much may be left open by it where the legacy's pattern says that there is nothing.
    """
    path = parse_pointer(difference.pointer)
    if _is_value(difference) or not leaves_open(expect.target.body, path):
        return False
    return difference.kind is not DifferenceKind.EXTRA or leaves_open(expect.legacy.body, path)


def _is_value(difference: Difference) -> bool:
    return difference.kind is DifferenceKind.VALUE


def _covers_row(waiver: Waiver, difference: Difference) -> bool:
    if waiver.rows.state is RowState.BOTH_STORE:
        parts = difference.pointer.split("/")
        return len(parts) == 4 and f"{parts[1]}.{parts[3]}" in waiver.rows.columns
    return waiver.rows.state is not RowState.SAME
