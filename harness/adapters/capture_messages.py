"""Messages on their way through the recording proxy: their heads as they came, and what the proxy says itself."""

import asyncio
import json
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from harness.adapters.capture_upstream import UpstreamFailed
from harness.domain.capture.relay import end_to_end, relocated
from harness.domain.exchange import Headers

_NO_CONTENT = 204


class RelayedAnswer(web.StreamResponse):
    """An answer with the headers that came, and no others but what frames it on this connection."""

    def __init__(self, answer: aiohttp.ClientResponse, client: str | None, upstream: str) -> None:
        super().__init__(status=answer.status, reason=answer.reason)
        # A body that is there already goes out with the head, in one packet; one that is awaited keeps no head back.
        self._send_headers_immediately = not answer.content.total_bytes
        for name, value in relocated(end_to_end(raw_headers(answer.raw_headers)), upstream, client):
            self.headers.add(name, value)

    async def _prepare_headers(self) -> None:
        came = tuple(self.headers.items())
        await super()._prepare_headers()
        framing = [(name, self.headers[name]) for name in ("Transfer-Encoding", "Connection") if name in self.headers]
        self.headers.clear()
        for name, value in (*came, *framing):
            # RFC 9110, section 8.6: none on a 204, whatever the upstream says.
            if self.status != _NO_CONTENT or name.lower() != "content-length":
                self.headers.add(name, value)


def unanswered(origin: str, error: UpstreamFailed) -> web.Response:
    """What the client gets where the upstream did not answer: 504 where its time was up, else 502, and the reason."""
    status = 504 if error.is_late else 502
    text = f"parakeet record: the upstream {origin} did not answer: {error}"
    return web.Response(status=status, body=json.dumps({"detail": text}).encode(), content_type="application/json")


def hang_up(request: web.BaseRequest) -> None:
    """Breaks the connection, so that the client does not take what it has for the whole answer."""
    with suppress(OSError, RuntimeError):
        if request.transport is not None:
            request.transport.abort()


def make_request(message: object, payload: object, protocol: object, writer: object, task: object) -> web.BaseRequest:
    """What the server makes of a message: a plain request, with no routes and no application."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop)  # type: ignore[arg-type]


def raw_headers(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    """Headers as they came, in their order, repeats included; bytes that are not UTF-8 as Latin-1."""
    return tuple((_text(name), _text(value)) for name, value in raw)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def origin_form(raw: str) -> str | None:
    """Path and query as they came, whichever form the request line had; None where there is no path."""
    if raw.startswith("/") or raw == "*":
        return raw
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https"):
        return None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
