"""What the sessions exercised, as the report tells it."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.domain.coverage import Coverage, MismatchRate, OperationCoverage, ParameterCoverage


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterView:
    """A parameter with how often requests had it how, and how they never had it."""

    place: str
    name: str
    had: str
    never: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationView:
    """One operation's line."""

    operation: str
    is_described: bool
    exchanges: int
    sessions: int
    statuses: str
    never: str
    """Described statuses that the legacy never gave."""
    parameters: tuple[ParameterView, ...]
    gaps: int
    """Classes of parameters and statuses that were never seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateView:
    """A mismatch rate over recorded sessions, in percent."""

    operation: str
    sessions: int
    mismatched: int
    rate: str
    upper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageView:
    """The whole section; `described` counts the operations that the system describes, 0 where it describes none."""

    described: int
    never_exercised: tuple[str, ...]
    operations: tuple[OperationView, ...]
    rates: tuple[RateView, ...]


def build_coverage(coverage: Coverage) -> CoverageView:
    """The section of a stored coverage: what was never exercised first, then in stored order."""
    operations = [_operation(found) for found in coverage.operations]
    return CoverageView(
        described=sum(found.is_described for found in operations),
        never_exercised=coverage.never_exercised,
        operations=tuple(sorted(operations, key=lambda found: found.exchanges > 0)),
        rates=tuple(_rate(rate) for rate in coverage.rates),
    )


def _operation(found: OperationCoverage) -> OperationView:
    parameters = tuple(_parameter(parameter) for parameter in found.parameters)
    return OperationView(
        operation=found.operation,
        is_described=found.is_described,
        exchanges=found.exchanges,
        sessions=found.sessions,
        statuses=_counts(found.statuses),
        never=", ".join(found.never),
        parameters=parameters,
        gaps=len(found.never) + sum(len(parameter.never) for parameter in found.parameters),
    )


def _parameter(found: ParameterCoverage) -> ParameterView:
    return ParameterView(
        place=found.place.value, name=found.name, had=_counts(found.classes), never=", ".join(found.never)
    )


def _rate(found: MismatchRate) -> RateView:
    return RateView(
        operation=found.operation,
        sessions=found.sessions,
        mismatched=found.mismatched,
        rate=f"{100 * found.rate:.2f} %",
        upper=f"{100 * found.upper:.2f} %",
    )


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} × {count:,}" for name, count in counted.items())
