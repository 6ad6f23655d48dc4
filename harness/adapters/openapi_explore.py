"""An API explored by its own OpenAPI document, with schemathesis: what it sent and was answered, as sessions.

Where the document has no links, schemathesis infers them from the parameters of paths and the fields of answers.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import Interaction, ScenarioRecorder

from harness.adapters.openapi_events import StopSignal, engine_events
from harness.adapters.openapi_links import SessionBuilder
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.generation import Observed
from harness.domain.session import Step

_REQUEST_TIMEOUT_S = 30
_UNREACHABLE = frozenset({"connection_ssl", "connection_other", "network_other", "invalid_certificate"})
_OF_THE_TRANSPORT = frozenset(
    {"user-agent", "accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding"}
    | {"x-schemathesis-testcaseid"}
)
_BOUNDARY = re.compile(r"boundary=([\w'()+,./:=?-]+)")
_FIXED_BOUNDARY = "parakeet-generated-boundary"
_NO_RESPONSES: dict[str, Any] = {"extra-data-sources": {"responses": False}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExploreRequest:
    """What to explore: `examples` random cases for each operation, and as many walks along its links.

    `headers` go on every request that does not test its own, such as a token; they are in no session.
    """

    document: Mapping[str, Any]
    base_url: str
    seed: int
    examples: int
    steps: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    on_requests: Callable[[int], None] = lambda _: None
    stop: StopSignal = field(default_factory=StopSignal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """All sessions in the order of their requests.

    `problems` kept cases from being made; `unwritable` counts requests that no session file can hold.
    """

    sessions: tuple[Observed, ...]
    requests: int
    unwritable: int
    problems: tuple[str, ...]


def load_document(source: str) -> Mapping[str, Any]:
    """The OpenAPI document of a file or an address, JSON or YAML.

    Raises:
        ConfigurationError: nothing is there, or it is no OpenAPI document.
        SystemUnavailable: nothing answers at the address.
    """
    hint = "Give the address or the file of an OpenAPI document, such as http://127.0.0.1:8000/openapi.json."
    try:
        if re.match(r"https?://", source):
            schema = schemathesis.openapi.from_url(source, config=SchemathesisConfig())
        else:
            schema = schemathesis.openapi.from_path(Path(source), config=SchemathesisConfig())
    except schemathesis.errors.LoaderError as error:
        what = f"no OpenAPI document: {error}"
        if error.kind.value in _UNREACHABLE:
            raise SystemUnavailable(what, where=source, hint="Start the system, or correct the address.") from error
        raise ConfigurationError(what, where=source, hint=hint) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"no OpenAPI document: {error}", where=source, hint=hint) from error
    document: Mapping[str, Any] = schema.raw_schema
    return document


def explore(request: ExploreRequest) -> Explored:
    """Sends the cases one after another. The same seed sends the same to an equal system in the same state.

    Where `request.stop` is given, what was explored until then.

    Raises:
        ConfigurationError: the document contradicts itself so that no case can be made of it.
    """
    collected = _Collected(request)
    try:
        schema = schemathesis.openapi.from_dict(dict(request.document), config=_configuration(request))
        for event in engine_events(schema, request.stop):
            collected.add(event)
    except schemathesis.errors.SchemathesisError as error:
        hint = "Correct the document; its own description of a case cannot be followed."
        raise ConfigurationError(f"the OpenAPI document is not usable: {error}", hint=hint) from error
    return collected.explored()


def _configuration(request: ExploreRequest) -> SchemathesisConfig:
    # Nothing that learns from answers: values that came from one would be literal in a session, and other ones the
    # next time. What a later request needs of an earlier answer comes along a link.
    return SchemathesisConfig.from_dict(
        {
            "seed": request.seed,
            "base-url": request.base_url,
            "headers": dict(request.headers),
            "request-timeout": _REQUEST_TIMEOUT_S,
            "continue-on-failure": True,
            "checks": {"enabled": False},
            "generation": {"max-examples": request.examples, "no-shrink": True, "database": "none"},
            "phases": {
                "examples": _NO_RESPONSES,
                "coverage": _NO_RESPONSES,
                "fuzzing": {**_NO_RESPONSES, "error-feedback": {"enabled": False}},
                "stateful": {"max-steps": request.steps},
            },
        }
    )


class _Collected:
    def __init__(self, request: ExploreRequest) -> None:
        self._request = request
        self._base_url = request.base_url.rstrip("/")
        self._kept_back = {(name.lower(), value) for name, value in request.headers.items()}
        self._sessions: list[Observed] = []
        self._requests = 0
        self._unwritable = 0
        self._problems: list[str] = []

    def add(self, event: EngineEvent) -> None:
        if isinstance(event, ScenarioFinished):
            self._add_scenario(event.recorder, is_walk=event.phase.value == "stateful")
            self._request.on_requests(self._requests)
        elif isinstance(event, NonFatalError):
            self._problems.append(f"{event.label}: {event.info.format()}")
        elif isinstance(event, FatalError):
            self._problems.append(f"{type(event.exception).__name__}: {event.exception}")

    def explored(self) -> Explored:
        return Explored(
            sessions=tuple(self._sessions),
            requests=self._requests,
            unwritable=self._unwritable,
            problems=tuple(dict.fromkeys(self._problems)),
        )

    def _add_scenario(self, recorder: ScenarioRecorder, *, is_walk: bool) -> None:
        builder = SessionBuilder()
        for case_id, node in recorder.cases.items():
            interaction = recorder.interactions.get(case_id)
            if interaction is None:
                continue
            self._requests += 1
            step = self._step(interaction, node.value)
            if step is None:
                self._unwritable += 1
                continue
            builder.add(node, step, self._exchange(interaction, step))
            if not is_walk:
                self._sessions.append(builder.finish())
                builder = SessionBuilder()
        if builder.has_steps:
            self._sessions.append(builder.finish())

    def _step(self, interaction: Interaction, case: Any) -> Step | None:
        """None where no session file can hold the request: its body is no text, or spells a placeholder by chance."""
        sent = interaction.request
        try:
            body = None if sent.body is None else sent.body.decode("utf-8")
        except UnicodeDecodeError:
            return None
        headers = tuple(self._headers(sent.headers, case))
        url = sent.uri.removeprefix(self._base_url)
        if "{{" in url + (body or "") + "".join(value for _, value in headers) or not url.startswith("/"):
            return None
        body, headers = _with_fixed_boundary(body, headers)
        return Step(n=0, name=case.operation.label, method=sent.method, url=url, headers=headers, body=body)

    def _headers(self, sent: Mapping[str, Any], case: Any) -> Iterator[tuple[str, str]]:
        wanted = {name.lower() for name in case.headers or ()}
        for name, values in sent.items():
            for value in [values] if isinstance(values, str) else values:
                is_ours = (name.lower(), value) in self._kept_back
                if not is_ours and (name.lower() in wanted or name.lower() not in _OF_THE_TRANSPORT):
                    yield name.lower(), value

    def _exchange(self, interaction: Interaction, step: Step) -> Exchange:
        answer = interaction.response
        body = None if step.body is None else step.body.encode()
        return Exchange(
            side=Side.LEGACY,
            base_url=self._base_url,
            request=Request(method=step.method, url=step.url, headers=step.headers, body=body),
            response=None
            if answer is None
            else Response(status=answer.status_code, headers=tuple(_pairs(answer.headers)), body=answer.content),
            transport_error="no answer" if answer is None else None,
            sent_at=datetime.now(UTC),
            duration_ms=0.0 if answer is None else answer.elapsed * 1000,
        )


def _pairs(headers: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, values in headers.items() for value in values)


def _with_fixed_boundary(
    body: str | None, headers: tuple[tuple[str, str], ...]
) -> tuple[str | None, tuple[tuple[str, str], ...]]:
    """A form's boundary is random for every request; the session's must be the same for the same seed."""
    found = next((_BOUNDARY.search(value) for name, value in headers if name == "content-type"), None)
    if found is None or body is None:
        return body, headers
    fixed = tuple((name, value.replace(found[1], _FIXED_BOUNDARY)) for name, value in headers)
    return body.replace(found[1], _FIXED_BOUNDARY), fixed
