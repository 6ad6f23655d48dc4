"""Requests that are too large are refused before anything of them is parsed (ADR 5)."""

from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_ADDRESS_BYTES = 16_384
LARGEST_HEADERS_BYTES = 65_536


class RequestLimits:
    """Answers 413, 414 or 431 to what exceeds a limit; hands on everything else, its body read and whole."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refuse_head(scope) or self._refuse_declared(scope)
        body = b"" if refusal else await self._read(receive)
        if body is None:
            refusal = self._too_large()
        await (refusal(scope, receive, send) if refusal else self._app(scope, _replay(body or b"", receive), send))

    def _refuse_declared(self, scope: Scope) -> JSONResponse | None:
        declared = next((value for name, value in _headers(scope) if name == b"content-length"), b"0")
        return self._too_large() if declared.isdigit() and int(declared[:20]) > self._max_body_bytes else None

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or None once it is longer than allowed."""
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > self._max_body_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> JSONResponse:
        return _refusal(413, f"The body is longer than {self._max_body_bytes} bytes")


def _refuse_head(scope: Scope) -> JSONResponse | None:
    address = scope.get("raw_path") or scope["path"].encode()
    if len(address) + len(scope["query_string"]) > LONGEST_ADDRESS_BYTES:
        return _refusal(414, f"Path and query are longer than {LONGEST_ADDRESS_BYTES} bytes")
    if sum(len(name) + len(value) for name, value in _headers(scope)) > LARGEST_HEADERS_BYTES:
        return _refusal(431, f"The headers are longer than {LARGEST_HEADERS_BYTES} bytes")
    return None


def _headers(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return headers


def _refusal(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a way to receive the body once, in one piece, and afterwards what the server still has to say."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again
