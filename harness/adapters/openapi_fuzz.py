"""Fuzzing an API by its own OpenAPI document, with schemathesis: every check that it has, nothing shrunk."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import ScenarioRecorder

from harness.adapters.openapi_events import StopSignal, engine_events
from harness.domain.errors import SystemUnavailable
from harness.domain.fuzz import FuzzFailure, FuzzObservations

_REQUEST_TIMEOUT_S = 30
_LONGEST_MESSAGE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzRequest:
    """What to fuzz: `examples` random cases for each operation, beside those that cover its parameters.

    `headers` go on every request that does not test its own, such as a token.
    """

    document_url: str
    seed: int
    examples: int
    headers: Mapping[str, str] = field(default_factory=dict)
    is_stateful: bool = True
    stop: StopSignal = field(default_factory=StopSignal)


def fuzz(request: FuzzRequest) -> FuzzObservations:
    """Send the cases one after another and return what came back. The same seed sends the same to an equal system.

    Where `request.stop` is given, what came back until then.

    Raises:
        SystemUnavailable: the document cannot be had.
    """
    try:
        schema = schemathesis.openapi.from_url(request.document_url, config=_configuration(request))
        seen = _Tally()
        for event in engine_events(schema, request.stop):
            seen.add(event)
    except (schemathesis.errors.LoaderError, OSError) as error:
        raise SystemUnavailable(
            f"no OpenAPI document: {error}",
            where=request.document_url,
            hint="Start the system, or correct the address.",
        ) from error
    return seen.observations(request.seed)


def _configuration(request: FuzzRequest) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": request.seed,
            "headers": dict(request.headers),
            "request-timeout": _REQUEST_TIMEOUT_S,
            "continue-on-failure": True,
            "generation": {"max-examples": request.examples, "no-shrink": True, "database": "none"},
            "phases": {"stateful": {"enabled": request.is_stateful}},
        }
    )


@dataclass(slots=True)
class _Tally:
    cases: int = 0
    checks: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[FuzzFailure] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, event: EngineEvent) -> None:
        if isinstance(event, ScenarioFinished):
            self._add_scenario(event.recorder)
        elif isinstance(event, NonFatalError):
            self.problems.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, FatalError):
            self.problems.append(f"{type(event.exception).__name__}: {event.exception}")

    def _add_scenario(self, recorder: ScenarioRecorder) -> None:
        for case_id, node in recorder.cases.items():
            self.operations.add(node.value.operation.label)
            interaction = recorder.interactions.get(case_id)
            if interaction is None:
                continue
            self.cases += 1
            status = interaction.response.status_code if interaction.response else None
            if status is not None:
                self.statuses[status] += 1
            self.failures += self._failures(recorder, case_id, node.value.operation.label, status)

    def _failures(
        self, recorder: ScenarioRecorder, case_id: str, operation: str, status: int | None
    ) -> Iterator[FuzzFailure]:
        for check in recorder.checks.get(case_id, ()):
            self.checks += 1
            if check.status is Status.ERROR:
                self.problems.append(f"{operation}: the check {check.name} itself failed")
            if check.failure_info is not None:
                yield FuzzFailure(
                    check=check.name,
                    operation=operation,
                    title=check.failure_info.failure.title,
                    message=check.failure_info.failure.message[:_LONGEST_MESSAGE],
                    reproduction=check.failure_info.code_sample,
                    status=status,
                )

    def observations(self, seed: int) -> FuzzObservations:
        return FuzzObservations(
            seed=seed,
            cases=self.cases,
            operations=len(self.operations),
            checks=self.checks,
            statuses=self.statuses,
            failures=tuple(self.failures),
            problems=tuple(dict.fromkeys(self.problems)),
        )
