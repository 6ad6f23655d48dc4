"""One request over HTTP without asyncio: for a process in which Locust has made sockets cooperative.

The promises are those of `HttpSide`, and so are the words for what went wrong: both sides of a comparison are sent
by the same client.
"""

import http.client
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import structs

from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.request_target import wire_target

TIMEOUT_S = 60.0
_MAX_BODY_BYTES = 64 * 1024 * 1024
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSide:
    """One side, reached from one address of this machine."""

    side: Side
    base_url: str
    source: str

    def send(self, request: Request) -> Exchange:
        """Sends once, on a connection of its own; what breaks becomes `transport_error`."""
        request = structs.replace(request, url=wire_target(request.url))
        response, failure = None, None
        sent_at, started = datetime.now(UTC), time.perf_counter()
        try:
            response = self._exchange(request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failure = _describe(error)
        return Exchange(
            side=self.side,
            base_url=self.base_url,
            request=request,
            response=response,
            transport_error=failure,
            sent_at=sent_at,
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    def _exchange(self, request: Request) -> Response:
        address = urlsplit(self.base_url)
        connection = self._connection(address.scheme, address.hostname or "", address.port)
        try:
            names = {name.lower() for name, _ in request.headers}
            connection.putrequest(
                request.method, address.path.rstrip("/") + request.url, skip_host=True, skip_accept_encoding=True
            )
            if "host" not in names:
                connection.putheader("Host", address.netloc)
            for name, value in request.headers:
                connection.putheader(name, value.encode())
            body = request.body or b""
            if "content-length" not in names and (body or request.method not in _WITHOUT_BODY):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            return _read(connection.getresponse())
        finally:
            connection.close()

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        source = (self.source, 0)
        if scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, source_address=source, context=context)
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S, source_address=source)


def _read(answer: http.client.HTTPResponse) -> Response:
    is_truncated = False
    try:
        body = answer.read(_MAX_BODY_BYTES + 1)
        # Read to a limit, a body that ends before its announced length is no error to http.client.
        is_truncated = len(body) > _MAX_BODY_BYTES or bool(answer.length)
    except http.client.IncompleteRead as error:
        body, is_truncated = error.partial, True
    except (ConnectionError, http.client.HTTPException):
        body, is_truncated = b"", True
    headers = tuple((name, value.strip(" \t")) for name, value in answer.getheaders())
    return Response(status=answer.status, headers=headers, body=body[:_MAX_BODY_BYTES], is_truncated=is_truncated)


def _describe(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no complete answer within {TIMEOUT_S:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, http.client.RemoteDisconnected):
        return "connection closed before an answer"
    if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.InvalidURL):
        return "the answer is not HTTP"
    return "connection reset" if isinstance(error, OSError) else f"cannot be sent: {error}"
