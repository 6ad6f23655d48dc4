"""Conscious differences: each waiver says what the legacy does and what the target does instead.

The file (`scenarios/waivers.toml`) is a list of tables. Unknown keys are errors.

    [[waiver]]
    id = "trades-status-filter"          # unique
    quirk = "Q4"                         # the quirk in the legacy's contract
    reason = "An unknown status is a client's mistake: 422 instead of 500."
    owner = "backend lead"               # a role
    expires_on = 2027-02-01              # from the next day on it explains nothing, and the gate fails

    [waiver.match]                       # which requests; every key given must hold
    operation = "GET /api/trades/"       # endpoint template(s): text or list; `*` matches within one segment
    query = { status = "re:(?!OPEN$|CLOSED$|CANCELLED$).+" }   # patterns; a repeated parameter's last value counts
    body = { ticker = "re:\\\\s*" }          # the JSON request body has at least these members
    headers = { authorization = "$ABSENT" }

    [waiver.expect.legacy]               # what this side answers, completely
    status = 500                         # or a list of statuses
    body = { error = "$TEXT", detail = "$TEXT", request_id = "$TEXT", path = "$TEXT" }
    headers = { vary = "$ABSENT" }       # optional: a header difference is explained if both sides name the header

    [waiver.expect.target]
    status = 422
    body = { detail = [{ type = "enum", loc = ["query", "status"], msg = "$TEXT", "$REST" = "$ANY" }] }

    [waiver.rows]                        # optional: what the step may store differently
    state = "legacy_only_stores"         # same (default) | legacy_only_stores | target_only_stores | both_store
    columns = ["trades.ticker"]          # for both_store: the columns that may differ

Patterns: a literal matches itself (10 is not 10.0); `$TEXT` any text but the empty one, `$STRING`, `$NUMBER`,
`$INTEGER`, `$BOOLEAN`, `$NULL`, `$OBJECT`, `$LIST`, `$ANY` (present), `$ABSENT`, `$EMPTY` (no body), `re:...` a regular
expression for the whole text. Objects have exactly the members named, unless a member `"$REST" = "$ANY"` allows
others; lists have
exactly the elements given, unless the last is `"$REST"`. The base address of a side reads `$BASE`. In the headers
of `expect`, `$REQUEST:name` is whatever the request's header of that name says.

`match.pointers = ["/trades/*/notes"]` narrows a waiver to differences at these body pointers (`*` for an index). It is
required where `body` says nothing (`$ANY`), since the waiver would otherwise hide whatever else differs; there, only
another value of the same type is waived.

`match.event = "id_reuse"` (with no `expect`) puts the legacy's giving a deleted row's id to a new row under its quirk.
"""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from harness.domain.compare.pattern import find_pattern_error, is_everything
from harness.domain.difference import Comparison
from harness.domain.errors import WaiverError

ID_REUSE = "id_reuse"
REQUEST_HEADER = "$REQUEST:"
"""Starts what an expected header says where it repeats one of the request's."""


class RowState(StrEnum):
    """What a waived step does to the rows of both sides."""

    SAME = "same"
    LEGACY_ONLY_STORES = "legacy_only_stores"
    TARGET_ONLY_STORES = "target_only_stores"
    BOTH_STORE = "both_store"


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown keys are errors: a misspelt condition must not widen a waiver."""


class WaiverMatch(_Strict, frozen=True):
    """Which requests a waiver is about."""

    operation: str | tuple[str, ...] = ()
    query: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    body: Any = None
    pointers: tuple[str, ...] = ()
    event: str = ""

    @property
    def operations(self) -> tuple[str, ...]:
        """The endpoint templates."""
        return (self.operation,) if isinstance(self.operation, str) else self.operation


class SideExpectation(_Strict, frozen=True):
    """What one side answers."""

    status: int | tuple[int, ...]
    body: Any
    headers: dict[str, Any] = {}

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses allowed."""
        return (self.status,) if isinstance(self.status, int) else self.status


class Expectation(_Strict, frozen=True):
    """What both sides answer."""

    legacy: SideExpectation
    target: SideExpectation


class RowExpectation(_Strict, frozen=True):
    """What both sides store."""

    state: RowState = RowState.SAME
    columns: tuple[str, ...] = ()


class Waiver(_Strict, frozen=True):
    """A difference that somebody answers for, until a day."""

    id: str
    quirk: str
    reason: str
    owner: str
    expires_on: date
    match: WaiverMatch
    expect: Expectation | None = None
    rows: RowExpectation = RowExpectation()

    def is_expired(self, today: date) -> bool:
        """Whether its last day has passed."""
        return today > self.expires_on

    def days_left(self, today: date) -> int:
        """Days until it expires; negative afterwards."""
        return (self.expires_on - today).days


def parse_waivers(text: str, *, source: str = "waivers.toml") -> tuple[Waiver, ...]:
    """All waivers of a file, in order.

    Raises:
        WaiverError: malformed TOML, an unknown or missing key, a bad date, a repeated id, or a waiver that hides more
            than it says.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WaiverError(f"not valid TOML: {error}", where=source, hint="Correct the syntax there.") from error
    unknown = content.keys() - {"waiver", "format_version"}
    if unknown or not isinstance(content.get("waiver", []), list):
        what = f"unknown key {min(unknown)!r}" if unknown else "waivers are written as [[waiver]] tables"
        raise WaiverError(what, where=source, hint="See the format at the top of harness/domain/waiver.py.")
    if content.get("format_version", 1) != 1:
        raise WaiverError("unknown format_version", where=source, hint="This version reads format_version = 1.")
    waivers = tuple(_parse_waiver(entry, n, source) for n, entry in enumerate(content.get("waiver", []), start=1))
    seen: set[str] = set()
    for waiver in waivers:
        if waiver.id in seen:
            raise WaiverError("the id is used twice", where=_where(source, waiver.id), hint="Ids name one waiver each.")
        seen.add(waiver.id)
    return waivers


def count_hits(waivers: Iterable[Waiver], comparisons: Iterable[Comparison]) -> Mapping[str, int]:
    """How many exchanges each waiver explains; never-hit ones are there with 0."""
    hits = {waiver.id: 0 for waiver in waivers}
    for comparison in comparisons:
        for waiver_id in comparison.waivers:
            hits[waiver_id] = hits.get(waiver_id, 0) + 1
    return hits


def _parse_waiver(entry: object, n: int, source: str) -> Waiver:
    name = entry.get("id", f"number {n}") if isinstance(entry, dict) else f"number {n}"
    try:
        waiver = msgspec.convert(entry, Waiver)
    except msgspec.ValidationError as error:
        hint = "See the format at the top of harness/domain/waiver.py."
        raise WaiverError(str(error), where=_where(source, name), hint=hint) from error
    problem = _find_problem(waiver)
    if problem:
        raise WaiverError(problem, where=_where(source, name), hint="Make the waiver say exactly what both sides do.")
    return waiver


def _find_problem(waiver: Waiver) -> str:
    for name in ("id", "quirk", "reason", "owner"):
        if not getattr(waiver, name).strip():
            return f"`{name}` is empty"
    if waiver.match.event:
        return _find_event_problem(waiver)
    if waiver.expect is None:
        return "`expect` is missing: a waiver asserts both sides"
    return _find_breadth(waiver, waiver.expect) or _find_pattern_problem(waiver, waiver.expect)


def _find_event_problem(waiver: Waiver) -> str:
    if waiver.match.event != ID_REUSE:
        return f"unknown event {waiver.match.event!r} (known: {ID_REUSE})"
    if waiver.expect is not None or waiver.rows != RowExpectation():
        return "a waiver for an event has neither `expect` nor `rows`"
    return ""


def _find_breadth(waiver: Waiver, expect: Expectation) -> str:
    says_nothing = is_everything(expect.legacy.body) or is_everything(expect.target.body)
    does_same = expect.legacy == expect.target and waiver.rows.state is RowState.SAME
    may_answer_alike = set(expect.legacy.statuses) & set(expect.target.statuses)
    silence = _find_silence(expect.legacy.body, expect.target.body) if may_answer_alike else ""
    problems = (
        (not waiver.match.operations, "`match.operation` is missing: the waiver would apply to every request"),
        (any(map(_names_nothing, waiver.match.operations)), "`match.operation` names no endpoint (`GET /api/x/`)"),
        (
            says_nothing and not waiver.match.pointers,
            "`expect` does not say what the body is: the waiver would hide any difference in it",
        ),
        (does_same and not waiver.match.pointers, "both sides are expected to do the same: there is nothing to waive"),
        (
            bool(silence) and not waiver.match.pointers,
            f"`expect` says nothing of {silence} on either side: the waiver would hide any difference there",
        ),
        (
            bool(_silent_headers(expect)),
            f"`expect` says nothing of the header {', '.join(_silent_headers(expect))} on either side: "
            "the waiver would hide any difference in it",
        ),
        (
            waiver.rows.state is RowState.BOTH_STORE and not waiver.rows.columns,
            "`rows.columns` is missing: both_store would hide any difference in the rows",
        ),
    )
    return next((problem for holds, problem in problems if holds), "")


def _find_silence(legacy: Any, target: Any) -> str:
    """The first place, as a pointer, of which the patterns of both sides say nothing; empty where there is none."""
    legacy, target = _members(legacy), _members(target)
    for name in sorted(legacy.keys() & target.keys()):
        if name == "$REST" or (is_everything(legacy[name]) and is_everything(target[name])):
            return "/*" if name == "$REST" else f"/{name}"
        if found := _find_silence(legacy[name], target[name]):
            return f"/{name}{found}"
    return ""


def _members(pattern: Any) -> dict[str, Any]:
    """What a pattern says of the members of an object, or of the elements of a list by their index."""
    if isinstance(pattern, list):
        return {"$REST" if each == "$REST" else str(index): each for index, each in enumerate(pattern)}
    return pattern if isinstance(pattern, dict) else {}


def _silent_headers(expect: Expectation) -> list[str]:
    legacy, target = (
        {name.lower() for name, pattern in side.headers.items() if pattern == "$TEXT" or is_everything(pattern)}
        for side in (expect.legacy, expect.target)
    )
    return sorted(legacy & target)


def _names_nothing(template: str) -> bool:
    method, _, path = template.partition(" ")
    return not method or not path.startswith("/") or (not path.replace("*", "").strip("/") and path != "/")


def _find_pattern_problem(waiver: Waiver, expect: Expectation) -> str:
    patterns = (
        ("match.query", waiver.match.query),
        ("match.headers", waiver.match.headers),
        ("match.body", waiver.match.body),
        ("expect.legacy.body", expect.legacy.body),
        ("expect.legacy.headers", expect.legacy.headers),
        ("expect.target.body", expect.target.body),
        ("expect.target.headers", expect.target.headers),
    )
    for where, pattern in patterns:
        error = find_pattern_error(pattern)
        if error:
            return f"`{where}`: {error}"
    return ""


def _where(source: str, name: object) -> str:
    return f"{source}: waiver {name!r}"
