"""An HTTP API on loopback: requests in, Lambda events out, answers back, under API Gateway's limits."""

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from harness.staging.authorizer import Invoker, RequestAuthorizer, with_context
from harness.staging.events import GatewayRequest, RequestIdentity, build_event
from harness.staging.function_response import (
    GatewayResponse,
    MalformedResponse,
    interpret_function_response,
    message_response,
)
from harness.staging.pool import InvocationAnswer, InvocationOutcome
from harness.staging.routes import RouteTable
from harness.staging.throttle import TokenBucket

_log = logging.getLogger(__name__)
# A request that is no HTTP is answered and is the client's own affair: aiohttp would print a traceback for each.
_http_log = logging.getLogger(f"{__name__}.http")
_http_log.setLevel(logging.CRITICAL)

_INTERNAL_ERROR = message_response(500, "Internal Server Error")
_UNAVAILABLE = message_response(503, "Service Unavailable")
_TOO_LARGE = message_response(413, "Request Entity Too Large")
_NO_BODY = frozenset((204, 304))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """API Gateway's quotas for HTTP APIs, which cannot be raised."""

    integration_timeout_s: float = 30.0
    max_body_bytes: int = 10 * 1024 * 1024
    max_header_bytes: int = 10_240


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Whose API it is."""

    account_id: str
    api_id: str = "local00000"
    limits: GatewayLimits = GatewayLimits()


class HttpApiGateway:
    """Serves one HTTP API with its `$default` stage."""

    def __init__(
        self,
        *,
        routes: RouteTable,
        invoker: Invoker,
        settings: GatewaySettings,
        throttle: TokenBucket | None = None,
        authorizers: Mapping[str, RequestAuthorizer] | None = None,
    ) -> None:
        self._routes = routes
        self._invoker = invoker
        self._settings = settings
        self._throttle = throttle
        self._authorizers = authorizers or {}
        self._runner: web.ServerRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Base address, without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self, *, port: int = 0) -> None:
        """Listens on loopback; port 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        limit = self._settings.limits.max_header_bytes
        server = web.Server(
            self._handle,
            request_factory=_make_request,
            access_log=None,
            logger=_http_log,
            auto_decompress=False,
            max_line_size=limit,
            max_field_size=limit,
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stops listening and closes the connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        request_id = base64.b64encode(secrets.token_bytes(11)).decode()
        try:
            response = await self._answer(request, request_id)
        except Exception:  # noqa: BLE001 - the process edge: no request may end the gateway
            if self._runner is not None:  # else its client has hung up, and the functions end as we do
                _log.exception("the gateway failed on a request")
            response = _INTERNAL_ERROR
        return _web_response(request, response, request_id)

    async def _answer(self, request: web.BaseRequest, request_id: str) -> GatewayResponse:
        target = _origin_form(request.raw_path)
        if target is None:
            return message_response(400, "Bad Request")
        if self._throttle is not None and not self._throttle.take():
            return message_response(429, "Too Many Requests")
        body = await self._read_body(request)
        if body is None:
            return _TOO_LARGE
        return await self._invoke(self._received(request, target, body), request_id)

    async def _invoke(self, received: GatewayRequest, request_id: str) -> GatewayResponse:
        route = self._routes.find(received.method, received.path)
        if route is None:
            return message_response(404, "Not Found")
        identity = self._identity(received, request_id)
        event = build_event(received, route, identity)
        if route.authorizer is not None:
            said = await self._authorizers[route.authorizer].authorise(event, trace_id=identity.trace_id)
            if said.refusal is not None:
                return said.refusal
            event = with_context(event, said)
        invocation = asyncio.ensure_future(self._invoker.invoke(route.function_key, event, trace_id=identity.trace_id))
        try:
            # The gateway gives up; the function runs on, as in Lambda, to its own timeout.
            async with asyncio.timeout(self._settings.limits.integration_timeout_s):
                answer = await asyncio.shield(invocation)
        except TimeoutError:
            invocation.add_done_callback(_retrieve)
            return _UNAVAILABLE
        return _respond(answer)

    async def _read_body(self, request: web.BaseRequest) -> bytes | None:
        limit = self._settings.limits.max_body_bytes
        if (request.content_length or 0) > limit:
            return None
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not request.can_read_body:
            return b""
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                return None
        return bytes(body)

    def _received(self, request: web.BaseRequest, target: str, body: bytes) -> GatewayRequest:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        return GatewayRequest(
            method=request.method,
            target=target,
            headers=tuple((_text(name), _text(value)) for name, value in request.raw_headers),
            body=body,
            source_ip=peer[0] if peer else "127.0.0.1",
            port=self._port,
            protocol=f"HTTP/{request.version.major}.{request.version.minor}",
        )

    def _identity(self, received: GatewayRequest, request_id: str) -> RequestIdentity:
        sent = next((value for name, value in received.headers if name.lower() == "x-amzn-trace-id"), "")
        root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        return RequestIdentity(
            account_id=self._settings.account_id,
            api_id=self._settings.api_id,
            request_id=request_id,
            trace_id=sent or f"Root={root}",
            received_at=datetime.now(UTC),
        )


def _respond(answer: InvocationAnswer) -> GatewayResponse:
    match answer.outcome:
        case InvocationOutcome.THROTTLED:
            return _UNAVAILABLE
        case InvocationOutcome.TOO_LARGE:
            return _TOO_LARGE
        case InvocationOutcome.FUNCTION_ERROR:
            return _INTERNAL_ERROR
        case InvocationOutcome.ANSWERED:
            try:
                return interpret_function_response(answer.payload)
            except MalformedResponse as malformed:
                _log.warning("malformed Lambda proxy response: %s", malformed)
                return _INTERNAL_ERROR


class _QuietRequest(web.BaseRequest):
    """API Gateway does not name its server software."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)


def _make_request(message: object, payload: object, protocol: object, writer: object, task: object) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return _QuietRequest(message, payload, protocol, writer, task, loop)  # type: ignore[arg-type]


def _web_response(request: web.BaseRequest, response: GatewayResponse, request_id: str) -> web.Response:
    is_head = request.method == "HEAD"
    # The length is what is sent; only a HEAD may announce a body that does not follow.
    headers = [item for item in response.headers if item[0].lower() != "content-length"]
    if is_head:
        headers.append(("Content-Length", _announced_length(response)))
    headers.append(("Apigw-Requestid", request_id))
    body = None if is_head or response.status in _NO_BODY else response.body
    return web.Response(status=response.status, headers=headers, body=body)


def _announced_length(response: GatewayResponse) -> str:
    given = (value for name, value in response.headers if name.lower() == "content-length" and value.isdigit())
    return next(given, str(len(response.body)))


def _origin_form(raw: str) -> str | None:
    """Path and query still encoded, whichever form the request line had; None where there is no path."""
    if not raw.startswith("/"):
        parts = urlsplit(raw)
        if parts.scheme not in ("http", "https"):
            return None
        raw = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return raw


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _retrieve(invocation: "asyncio.Future[InvocationAnswer]") -> None:
    if not invocation.cancelled() and (error := invocation.exception()) is not None:
        _log.error("an invocation failed after its request was answered: %s", error)
