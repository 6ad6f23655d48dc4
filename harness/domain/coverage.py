"""What replayed traffic exercised, and what it never did.

Recorded traffic is a sample of real use: of it a mismatch rate is claimed, with a bound, the session being the unit,
since requests of one session fail together. Written and generated sessions are no sample: of them it is said which
operations, statuses and classes of parameters they touched.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from harness.domain.compare.document import parse_json
from harness.domain.description import Parameter, Place, described_operations
from harness.domain.difference import Comparison, Outcome
from harness.domain.exchange import Exchange, Request
from harness.domain.record import Origin, SessionRecord
from harness.domain.statistics import rate_bounds

COVERAGE_FILE = "coverage.json"
OPENAPI_FILE = "openapi.json"
ALL_OPERATIONS = "all"
_NO_ANSWER = "none"
_EMPTY: tuple[Any, ...] = ("", [], {})


class ParameterClass(StrEnum):
    """How a request had a parameter."""

    PRESENT = "present"
    ABSENT = "absent"
    EMPTY = "empty"
    NULL = "null"
    REFUSED = "refused"
    """Some other value, and named by the answer that refuses the request."""


_REACHABLE: Mapping[Place, tuple[ParameterClass, ...]] = {
    Place.PATH: (ParameterClass.PRESENT, ParameterClass.REFUSED),
    Place.HEADER: (ParameterClass.PRESENT, ParameterClass.ABSENT, ParameterClass.REFUSED),
    Place.QUERY: (ParameterClass.PRESENT, ParameterClass.ABSENT, ParameterClass.EMPTY, ParameterClass.REFUSED),
    Place.BODY: tuple(ParameterClass),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterCoverage:
    """How often requests had a parameter in each class; `never` are the classes that no request had."""

    place: Place
    name: str
    classes: Mapping[str, int]
    never: tuple[ParameterClass, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCoverage:
    """What reached one operation; `statuses` are the legacy's, `never` the described ones that it never gave."""

    operation: str
    is_described: bool
    exchanges: int
    sessions: int
    statuses: Mapping[str, int]
    never: tuple[str, ...]
    parameters: tuple[ParameterCoverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MismatchRate:
    """Recorded sessions that touched an operation (or all), and those in which it was unexplainedly different.

    `upper` is the one-sided Clopper-Pearson bound at 95 %.
    """

    operation: str
    sessions: int
    mismatched: int
    rate: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The content of `coverage.json`: operations of the system's description first, in its order."""

    has_description: bool
    operations: tuple[OperationCoverage, ...]
    rates: tuple[MismatchRate, ...] = ()
    """None where no traffic was recorded: a rate over written sessions would claim what they cannot show."""
    format_version: int = 1

    @property
    def never_exercised(self) -> tuple[str, ...]:
        """Described operations without a single exchange."""
        return tuple(found.operation for found in self.operations if not found.exchanges)


@dataclass(slots=True, kw_only=True)
class _Touched:
    exchanges: int = 0
    sessions: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    classes: dict[Parameter, Counter[ParameterClass]] = field(default_factory=dict)


@dataclass(slots=True)
class _Recorded:
    """Recorded sessions that touched an operation, and those in which it was unexplainedly different."""

    sessions: int = 0
    mismatched: int = 0


class CoverageCount:
    """Counts sessions one by one, each given once; `document` is the system's OpenAPI description, or None."""

    def __init__(self, document: Any = None) -> None:
        self._described = described_operations(document)
        self._touched: dict[str, _Touched] = {name: _Touched() for name in self._described}
        self._recorded: dict[str, _Recorded] = {}

    def add(self, record: SessionRecord, comparisons: Iterable[Comparison]) -> None:
        """Takes a session in, with what it was judged to be."""
        for step in record.steps:
            self._add_exchange(step.pair.operation, step.pair.legacy)
        for operation in {step.pair.operation for step in record.steps}:
            self._touched[operation].sessions += 1
        if record.origin is Origin.RECORDED:
            self._add_recorded([found for found in comparisons if found.outcome is not Outcome.NOT_COMPARABLE])

    def coverage(self) -> Coverage:
        """What was counted so far."""
        return Coverage(
            has_description=bool(self._described),
            operations=tuple(self._operation(name, touched) for name, touched in self._touched.items()),
            rates=tuple(_rate(name, counted) for name, counted in self._recorded.items()),
        )

    def _add_exchange(self, operation: str, exchange: Exchange) -> None:
        touched = self._touched.setdefault(operation, _Touched())
        touched.exchanges += 1
        touched.statuses[_NO_ANSWER if exchange.response is None else str(exchange.response.status)] += 1
        described = self._described.get(operation)
        had = dict(had_parameters(exchange, () if described is None else described.parameters))
        for parameter, found in had.items():
            if parameter not in touched.classes:
                # Requests before the first that had it were without it.
                touched.classes[parameter] = Counter({ParameterClass.ABSENT: touched.exchanges - 1})
            touched.classes[parameter][found] += 1
        for parameter in touched.classes.keys() - had.keys():
            touched.classes[parameter][ParameterClass.ABSENT] += 1

    def _add_recorded(self, comparisons: Sequence[Comparison]) -> None:
        named = [(name, found) for found in comparisons for name in (ALL_OPERATIONS, found.operation)]
        different = {name for name, found in named if found.outcome is Outcome.DIFFERENT}
        for name in dict.fromkeys(name for name, _ in named):
            counted = self._recorded.setdefault(name, _Recorded())
            counted.sessions += 1
            counted.mismatched += name in different

    def _operation(self, name: str, touched: _Touched) -> OperationCoverage:
        described = self._described.get(name)
        parameters = dict.fromkeys((*(() if described is None else described.parameters), *touched.classes))
        return OperationCoverage(
            operation=name,
            is_described=described is not None,
            exchanges=touched.exchanges,
            sessions=touched.sessions,
            statuses=dict(sorted(touched.statuses.items())),
            never=tuple(s for s in (() if described is None else described.statuses) if s not in touched.statuses),
            parameters=tuple(_parameter(each, touched.classes.get(each, Counter())) for each in parameters),
        )


def _parameter(parameter: Parameter, counted: Mapping[ParameterClass, int]) -> ParameterCoverage:
    return ParameterCoverage(
        place=parameter.place,
        name=parameter.name,
        classes={each.value: counted[each] for each in ParameterClass if counted.get(each)},
        never=tuple(each for each in _REACHABLE[parameter.place] if not counted.get(each)),
    )


def _rate(operation: str, counted: _Recorded) -> MismatchRate:
    bounds = rate_bounds(counted.mismatched, counted.sessions)
    return MismatchRate(
        operation=operation,
        sessions=counted.sessions,
        mismatched=counted.mismatched,
        rate=bounds.value,
        upper=1.0 if bounds.upper is None else bounds.upper,
    )


def had_parameters(exchange: Exchange, described: Sequence[Parameter]) -> Iterator[tuple[Parameter, ParameterClass]]:
    """The parameters that a request had, and how; those of the description that it lacked are ABSENT."""
    refused = _refused(exchange)
    sent = _sent(exchange.request, described)
    for parameter in dict.fromkeys((*described, *sent)):
        if parameter not in sent:
            yield parameter, ParameterClass.ABSENT
        elif sent[parameter] is None:
            yield parameter, ParameterClass.NULL
        elif any(type(sent[parameter]) is type(each) and sent[parameter] == each for each in _EMPTY):
            yield parameter, ParameterClass.EMPTY
        else:
            yield parameter, ParameterClass.REFUSED if parameter in refused else ParameterClass.PRESENT


def _sent(request: Request, described: Sequence[Parameter]) -> dict[Parameter, Any]:
    query = parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
    sent: dict[Parameter, Any] = {Parameter(Place.QUERY, name): value for name, value in query}
    names = {name.lower() for name, _ in request.headers}
    for parameter in described:
        if parameter.place is Place.PATH or (parameter.place is Place.HEADER and parameter.name.lower() in names):
            sent[parameter] = True
    body = _document(request.body)
    if isinstance(body, dict):
        sent |= {Parameter(Place.BODY, name): value for name, value in body.items()}
    return sent


def _refused(exchange: Exchange) -> set[Parameter]:
    """The parameters that an answer names as the reason of its refusal: `detail[].loc`, as FastAPI writes it."""
    response = exchange.response
    if response is None or not 400 <= response.status < 500:
        return set()
    document = _document(response.body)
    detail = document.get("detail") if isinstance(document, dict) else None
    places = (each.get("loc") for each in detail if isinstance(each, dict)) if isinstance(detail, list) else ()
    return {
        Parameter(Place(loc[0]), loc[1])
        for loc in places
        if isinstance(loc, list) and len(loc) > 1 and loc[0] in set(Place) and isinstance(loc[1], str)
    }


def _document(body: bytes | None) -> Any:
    document = parse_json(body) if body else None
    return None if document is None else document.value
