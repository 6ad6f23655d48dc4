"""The outermost layer: one log line a request, and one answer to what nobody else answered."""

import logging
import time
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from target.observability.correlation import correlated

_log = logging.getLogger(__name__)


class RequestBoundary:
    """Logs every request once; answers an unforeseen exception with 500 and nothing of its text.

    It lies outside CORS, so that such an answer carries no CORS headers, as in the legacy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with correlated(_gateway_id(scope) or uuid4().hex):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_at = time.perf_counter()
        status = 0

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if scope["path"] == "//":  # LEGACY-PARITY: contract section 9, this path serves the root
            scope = {**scope, "path": "/"}
        try:
            await self._app(scope, receive, observe)
        except Exception as error:
            if status:  # too late for another answer
                raise
            await _answer_unforeseen(Request(scope), error)(scope, receive, observe)
        _log.info(
            "%s %s %d",
            scope["method"],
            scope["path"],
            status,
            extra={"duration_ms": round((time.perf_counter() - started_at) * 1000, 3)},
        )


def _gateway_id(scope: Scope) -> str:
    """Return the gateway's id of this request. A client's own would let it pose as another's request."""
    context = scope.get("aws.event", {}).get("requestContext", {})
    return str(context.get("requestId") or "")


def _answer_unforeseen(request: Request, error: Exception) -> JSONResponse:
    request_id = uuid4().hex[:8]
    _log.error("Unforeseen %s", type(error).__name__, exc_info=error, extra={"request_id": request_id})
    body = {
        "error": "Internal server error",
        "detail": "An unexpected error occurred",
        "request_id": request_id,
        "path": str(request.url),
    }
    return JSONResponse(body, 500)
