"""What concurrent clients do to rows, and what a serial system answers: the data of one migration."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import msgspec

from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request
from harness.domain.substitution import fill_text, placeholders

Cell = str | float | bool | None
"""One observed value of a row; numbers are compared as doubles."""

VALUE = "{{value}}"
"""Stands for a number that no other operation of the history carries, so that every write can be told apart."""

_KNOWN_NAMES = frozenset({"group", "key", "id", "value", "page", "size"})
_HINT = "See the comments of scenarios/isolation.toml."


class Kind(StrEnum):
    """What an operation does to the one row, or the page of rows, that it names."""

    CREATE = "create"
    UPDATE = "update"
    TRANSITION = "transition"
    DELETE = "delete"
    READ = "read"
    LIST = "list"


class Refusal(StrEnum):
    """Why a serial system refuses an operation."""

    TAKEN = "taken"
    """A create whose key another row carries."""
    ABSENT = "absent"
    """No row has this id, or none any more."""
    GUARD = "guard"
    """The row is not in the state from which the operation leads."""
    CONFLICT = "conflict"
    """Others were in the way: nothing was done, and whoever asks again may succeed. A system need not have it."""


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The operation's own number, plus a constant."""

    plus: float


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a page's rows and the count of all, if it has one, are in the answer, and which pages are asked for."""

    rows: str
    sizes: tuple[int, ...]
    total: str | None = None
    pages: tuple[int, ...] = (1,)


class OperationSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of request: what it sends, when it is refused, what it writes; a field that a create leaves out is null.

    `guard` is what the row must hold (of a list: what its rows hold). `rows_answered` False: the answer shows no row.
    `row` points to the one row in the answer.
    """

    name: str
    kind: Kind
    method: str
    url: str
    body: str | None = None
    content_type: str = "application/json"
    weight: int = 1
    succeeds: int = 200
    refused: dict[Refusal, int] = {}
    guard: dict[str, Cell] = {}
    writes: dict[str, Cell | Number] = {}
    rows_answered: bool = True
    row: str = ""
    page: Paging | None = None

    def request(self, values: Mapping[str, str], headers: Sequence[tuple[str, str]] = ()) -> Request:
        """The request with every `{{name}}` of `values` filled in, percent-encoded in the URL."""
        body = None if self.body is None else fill_text(self.body, values).encode()
        sent = () if body is None else (("content-type", self.content_type),)
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        return Request(method=self.method, url=fill_text(self.url, quoted), headers=(*headers, *sent), body=body)

    def written(self, value: int) -> dict[str, Cell]:
        """What the operation with this number writes, by field."""
        return {name: _cell(cell, value) for name, cell in self.writes.items()}


class RowSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a row's own id and its unique key are in an answer that shows it, and the fields that are watched."""

    id: str
    key: str
    fields: tuple[str, ...]

    def indexed(self, cells: Mapping[str, Cell]) -> tuple[tuple[int, Cell], ...]:
        """Cells by the index of their field."""
        return tuple((self.fields.index(name), normal_cell(cell)) for name, cell in cells.items())

    def written_by(self, spec: OperationSpec, value: int) -> tuple[tuple[int, Cell], ...]:
        """What the operation with this number writes; a create writes every field, null where it says nothing."""
        unsaid = dict.fromkeys(self.fields) if spec.kind is Kind.CREATE else {}
        return self.indexed(unsaid | spec.written(value))


class IsolationScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A migration's operations and the row that they are about."""

    format_version: int
    row: RowSpec
    operation: tuple[OperationSpec, ...]

    def of_kind(self, kind: Kind) -> tuple[OperationSpec, ...]:
        """The operations of one kind, in the order of the file."""
        return tuple(spec for spec in self.operation if spec.kind is kind)


def parse_scenario(raw: Mapping[str, Any], *, where: str) -> IsolationScenario:
    """A scenario from its TOML document.

    Raises:
        ConfigurationError: an unknown key, a wrong type, another version, or operations that say too little or too
            much for their kind.
    """
    try:
        scenario = msgspec.convert(raw, IsolationScenario)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"the isolation scenario is wrong: {error}", where=where, hint=_HINT) from error
    problem = _problem(scenario)
    if problem:
        raise ConfigurationError(f"the isolation scenario is wrong: {problem}", where=where, hint=_HINT)
    return scenario


def _problem(scenario: IsolationScenario) -> str | None:
    if scenario.format_version != 1:
        return f"version {scenario.format_version} is not 1"
    names = [spec.name for spec in scenario.operation]
    if len(set(names)) < len(names):
        return "two operations have the same name"
    for kind in (Kind.CREATE, Kind.READ):
        if len(scenario.of_kind(kind)) != 1:
            return f"there must be exactly one operation of kind {kind}"
    if not scenario.of_kind(Kind.DELETE):
        return "without an operation of kind delete, what a history leaves behind cannot be taken away"
    return next((problem for spec in scenario.operation if (problem := _problem_of(spec, scenario.row))), None)


def _problem_of(spec: OperationSpec, row: RowSpec) -> str | None:
    unknown = sorted({*spec.writes, *spec.guard} - set(row.fields))
    needed = {
        Kind.CREATE: {Refusal.TAKEN},
        Kind.TRANSITION: {Refusal.ABSENT, Refusal.GUARD},
        Kind.LIST: set(),
    }.get(spec.kind, {Refusal.ABSENT})
    optional = set() if spec.kind in {Kind.READ, Kind.LIST} else {Refusal.CONFLICT}
    filled = {name for text in (spec.url, spec.body or "") for name in placeholders(text)}
    own = {Kind.CREATE: "key", Kind.LIST: "group"}.get(spec.kind, "id")
    checks = (
        (own not in filled, f"does not say {{{{{own}}}}} in its url or body"),
        (bool(filled - _KNOWN_NAMES), f"says {', '.join(sorted(filled - _KNOWN_NAMES))}, which nothing fills in"),
        (
            spec.kind in {Kind.CREATE, Kind.READ} and not spec.rows_answered,
            "has to answer its row: there is no other way to know it",
        ),
        (bool(unknown), f"names the fields {', '.join(unknown)}, which are not among the row's"),
        (
            set(spec.refused) - optional != needed,
            f"must say the statuses of exactly: {', '.join(sorted(needed)) or 'nothing'}",
        ),
        ((spec.kind is Kind.LIST) != (spec.page is not None), "has [operation.page] if and only if it is a list"),
        (_writes(spec.kind) != bool(spec.writes), "must say what it writes if and only if its kind writes"),
        (spec.kind is Kind.TRANSITION and not spec.guard, "is a transition without a guard"),
        (spec.kind not in {Kind.TRANSITION, Kind.LIST} and bool(spec.guard), "has a guard that its kind never asks"),
    )
    return next((f"{spec.name!r} {text}" for is_wrong, text in checks if is_wrong), None)


def _writes(kind: Kind) -> bool:
    return kind in {Kind.CREATE, Kind.UPDATE, Kind.TRANSITION}


def _cell(cell: Cell | Number, value: int) -> Cell:
    if isinstance(cell, Number):
        return value + cell.plus
    if isinstance(cell, str):
        return cell.replace(VALUE, str(value))
    return normal_cell(cell)


def normal_cell(cell: Cell) -> Cell:
    """The cell as it is compared: a number as a double, anything else as it is."""
    return float(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell
