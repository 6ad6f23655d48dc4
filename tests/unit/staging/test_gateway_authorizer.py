"""REQUEST authorizers: when the function is asked, what it is sent, and what its answer means."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.domain.cloud import AuthorizerDefinition
from harness.domain.errors import ConfigurationError
from harness.staging.authorizer import RequestAuthorizer, interpret_simple_answer, with_context
from harness.staging.events import GatewayRequest, RequestIdentity, build_event
from harness.staging.pool import InvocationAnswer, InvocationOutcome
from harness.staging.routes import RouteMatch


class _Function:
    """Answers what it is told and keeps what it was asked."""

    def __init__(self, answer: object, outcome: InvocationOutcome = InvocationOutcome.ANSWERED) -> None:
        self.answer = answer
        self.outcome = outcome
        self.events: list[Mapping[str, object]] = []

    async def invoke(self, function_key: str, event: Mapping[str, object], *, trace_id: str) -> InvocationAnswer:
        assert function_key == "edge"
        self.events.append(event)
        return InvocationAnswer(outcome=self.outcome, payload=json.dumps(self.answer).encode())


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _event(*, secret: str | None = "s3cret", path: str = "/api/a%20b", query: str = "") -> dict[str, Any]:
    headers = (("Host", "x.example"), *([("X-Edge-Secret", secret)] if secret is not None else []))
    target = path + (f"?{query}" if query else "")
    request = GatewayRequest(
        method="POST", target=target, headers=headers, body=b"body", source_ip="127.0.0.1", port=80
    )
    identity = RequestIdentity(
        account_id="123456789012",
        api_id="api",
        request_id="r",
        trace_id="t",
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    route = RouteMatch(route_key="ANY /api/{proxy+}", function_key="f", path_parameters={"proxy": "a b"})
    return build_event(request, route, identity)


def _authorizer(function: _Function, clock: _Clock | None = None, **changes: Any) -> RequestAuthorizer:
    values: dict[str, Any] = {
        "name": "edge",
        "function_key": "edge",
        "identity_sources": ("$request.header.X-Edge-Secret",),
        "ttl_s": 300.0,
    }
    return RequestAuthorizer(AuthorizerDefinition(**(values | changes)), function, clock=clock or _Clock())


async def test_the_function_sees_the_request_without_its_body() -> None:
    function = _Function({"isAuthorized": True, "context": {"plan": "gold", "n": 1}})

    said = await _authorizer(function).authorise(_event(query="a=1&a=2"), trace_id="t")

    (asked,) = function.events
    assert (asked["version"], asked["type"]) == ("2.0", "REQUEST")
    assert asked["identitySource"] == ["s3cret"]
    assert asked["routeArn"] == "arn:aws:execute-api:us-east-1:123456789012:api/$default/POST/api/a%20b"
    assert asked["queryStringParameters"] == {"a": "1,2"}
    assert asked["pathParameters"] == {"proxy": "a b"}
    assert not {"body", "isBase64Encoded"} & set(asked)
    event = with_context(_event(), said)
    assert event["requestContext"]["authorizer"] == {"lambda": {"plan": "gold", "n": 1}}  # type: ignore[index]
    assert event["body"]


async def test_a_missing_identity_source_is_a_401_without_a_call() -> None:
    function = _Function({"isAuthorized": True})
    for event in (_event(secret=None), _event(secret="")):
        said = await _authorizer(function).authorise(event, trace_id="t")
        assert said.refusal is not None
        assert (said.refusal.status, json.loads(said.refusal.body)) == (401, {"message": "Unauthorized"})
    assert function.events == []


async def test_a_refusal_is_a_403() -> None:
    said = await _authorizer(_Function({"isAuthorized": False})).authorise(_event(), trace_id="t")
    assert said.refusal is not None
    assert (said.refusal.status, json.loads(said.refusal.body)) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    "function",
    [
        _Function({"isAuthorized": "true"}),
        _Function({}),
        _Function([True]),
        _Function({"isAuthorized": True, "context": "text"}),
        _Function({"isAuthorized": True}, InvocationOutcome.FUNCTION_ERROR),
        _Function({"isAuthorized": True}, InvocationOutcome.THROTTLED),
    ],
)
async def test_a_function_that_fails_or_answers_nonsense_is_a_500_and_is_not_kept(function: _Function) -> None:
    authorizer, asked_before = _authorizer(function), len(function.events)
    for _ in range(2):
        said = await authorizer.authorise(_event(), trace_id="t")
        assert said.refusal is not None
        assert said.refusal.status == 500
    assert len(function.events) == asked_before + 2


async def test_answers_are_kept_by_identity_for_their_time_to_live() -> None:
    clock, function = _Clock(), _Function({"isAuthorized": True})
    authorizer = _authorizer(function, clock)

    for secret in ("one", "one", "two", "one"):
        assert (await authorizer.authorise(_event(secret=secret), trace_id="t")).refusal is None
    assert len(function.events) == 2
    function.answer = {"isAuthorized": False}
    clock.now += 299.9
    assert (await authorizer.authorise(_event(secret="one"), trace_id="t")).refusal is None
    clock.now += 0.2
    assert (await authorizer.authorise(_event(secret="one"), trace_id="t")).refusal is not None


@pytest.mark.parametrize("changes", [{"ttl_s": 0.0}, {"identity_sources": ()}])
async def test_nothing_is_kept_without_a_time_to_live_or_an_identity(changes: dict[str, Any]) -> None:
    function = _Function({"isAuthorized": True})
    authorizer = _authorizer(function, **changes)
    for _ in range(2):
        await authorizer.authorise(_event(), trace_id="t")
    assert len(function.events) == 2


async def test_every_identity_source_is_part_of_the_key() -> None:
    function = _Function({"isAuthorized": True})
    sources = ("$request.header.x-edge-secret", "$request.querystring.a", "$context.routeKey")
    authorizer = _authorizer(function, identity_sources=sources)

    for query in ("a=1", "a=2", "a=1"):
        assert (await authorizer.authorise(_event(query=query), trace_id="t")).refusal is None
    refused = (await authorizer.authorise(_event(query="b=1"), trace_id="t")).refusal

    assert refused is not None
    assert [event["identitySource"] for event in function.events] == [
        ["s3cret", "1", "ANY /api/{proxy+}"],
        ["s3cret", "2", "ANY /api/{proxy+}"],
    ]


def test_an_unknown_identity_source_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"\$stageVariables\.x"):
        _authorizer(_Function({}), identity_sources=("$stageVariables.x",))


def test_what_is_not_json_is_no_answer() -> None:
    assert interpret_simple_answer(b"<html>") is None
