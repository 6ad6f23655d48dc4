"""Lambda authorizers of an HTTP API: REQUEST type, payload format 2.0, simple answers, kept for their time to live.

Source: Amazon API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers".
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from harness.domain.cloud import AuthorizerDefinition
from harness.domain.errors import ConfigurationError
from harness.staging.function_response import GatewayResponse, message_response
from harness.staging.pool import InvocationAnswer, InvocationOutcome

_log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 10.0
_SOURCE = re.compile(r"\$request\.(?P<place>header|querystring)\.(?P<name>\S+)|\$context\.routeKey")
_UNAUTHORIZED = message_response(401, "Unauthorized")
_FORBIDDEN = message_response(403, "Forbidden")
_ERROR = message_response(500, "Internal Server Error")


class Invoker(Protocol):
    """Runs functions by their key."""

    async def invoke(self, function_key: str, event: Mapping[str, object], *, trace_id: str) -> InvocationAnswer:
        """One synchronous invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """Let through with this context, or answered with `refusal` instead."""

    context: Mapping[str, object] | None = None
    refusal: GatewayResponse | None = None


class RequestAuthorizer:
    """One authorizer: asks its function, and remembers what it said of the same identity."""

    def __init__(
        self,
        definition: AuthorizerDefinition,
        invoker: Invoker,
        *,
        region: str = "us-east-1",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ConfigurationError for an identity source that the local cloud cannot read."""
        for source in definition.identity_sources:
            if _SOURCE.fullmatch(source) is None:
                hint = "Use $request.header.NAME, $request.querystring.NAME or $context.routeKey."
                what = f"the authorizer {definition.name} has the unknown identity source {source}"
                raise ConfigurationError(what, hint=hint)
        self._definition = definition
        self._invoker = invoker
        self._region = region
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[float, Authorisation]] = {}

    async def authorise(self, event: Mapping[str, object], *, trace_id: str) -> Authorisation:
        """What the function says of the request behind `event`, an integration's event.

        A missing identity source is a 401 without a call; a refusal is a 403; a function that fails, or answers what
        is no answer, is a 500. Yes and no are both kept for the time to live; a failure is not.
        """
        identity = [_read_source(source, event) for source in self._definition.identity_sources]
        if any(not value for value in identity):
            return Authorisation(refusal=_UNAUTHORIZED)
        key = tuple(str(value) for value in identity)
        known = self._kept.get(key)
        if known is not None and self._clock() < known[0]:
            return known[1]
        found = await self._ask(authorizer_event(event, key, region=self._region), trace_id)
        if found is None:
            return Authorisation(refusal=_ERROR)
        # Without identity sources there is nothing to tell requests apart by: API Gateway then keeps nothing.
        if key and self._definition.ttl_s > 0:
            self._kept[key] = (self._clock() + self._definition.ttl_s, found)
        return found

    async def _ask(self, event: Mapping[str, object], trace_id: str) -> Authorisation | None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer = await self._invoker.invoke(self._definition.function_key, event, trace_id=trace_id)
        except TimeoutError:
            _log.warning("the authorizer %s did not answer within %g s", self._definition.name, ANSWER_TIMEOUT_S)
            return None
        found = interpret_simple_answer(answer.payload) if answer.outcome is InvocationOutcome.ANSWERED else None
        if found is None:
            _log.warning("the authorizer %s gave no answer that can be used: %s", self._definition.name, answer.outcome)
        return found


def interpret_simple_answer(payload: bytes) -> Authorisation | None:
    """The meaning of `{"isAuthorized": bool, "context": {…}}`; None for what is not of that form."""
    try:
        said = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("isAuthorized"), bool):
        return None
    context = said.get("context")
    if context is not None and not isinstance(context, dict):
        return None
    return Authorisation(context=context) if said["isAuthorized"] else Authorisation(refusal=_FORBIDDEN)


def authorizer_event(event: Mapping[str, object], identity: tuple[str, ...], *, region: str) -> dict[str, object]:
    """What the authorizer is sent for a request: the integration's event without its body."""
    asked = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    context = event["requestContext"]
    assert isinstance(context, Mapping)  # noqa: S101 - our own event
    place = f"{context['accountId']}:{context['apiId']}/{context['stage']}/{context['http']['method']}"
    path = quote(str(event["rawPath"]), safe="/")
    return {
        **asked,
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:{region}:{place}{path}",
        "identitySource": list(identity),
    }


def with_context(event: dict[str, object], authorised: Authorisation) -> dict[str, object]:
    """The integration's event, which carries what the authorizer said as `requestContext.authorizer.lambda`."""
    context = event["requestContext"]
    assert isinstance(context, dict)  # noqa: S101 - our own event
    return {**event, "requestContext": {**context, "authorizer": {"lambda": authorised.context}}}


def _read_source(source: str, event: Mapping[str, object]) -> str | None:
    match = _SOURCE.fullmatch(source)
    if match is None or match["place"] is None:
        return str(event["routeKey"])
    values = event.get("headers" if match["place"] == "header" else "queryStringParameters") or {}
    assert isinstance(values, Mapping)  # noqa: S101 - our own event
    name = match["name"].lower() if match["place"] == "header" else match["name"]
    return values.get(name)
