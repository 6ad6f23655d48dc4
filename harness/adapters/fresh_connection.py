"""Sends every request on a connection of its own, as the recordings were made."""

import asyncio
import http.client
import time
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Exchange, Headers, Request, Response, Side

_WITH_BODY = {"POST", "PUT", "PATCH"}
_SENT_AS_IS = "".join(chr(code) for code in range(0x21, 0x7F))


class FreshConnectionClient:
    """A SideClient without connection reuse, redirects, cookies or headers of its own."""

    def __init__(self, base_url: str, *, side: Side = Side.LEGACY, timeout_s: float = 30.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            hint = "Write it as http://127.0.0.1:8000."
            raise ConfigurationError("not an http or https address", where=base_url, hint=hint)
        self._base_url = base_url.rstrip("/")
        self._parts = parts
        self._side = side
        self._timeout_s = timeout_s

    async def send(self, request: Request) -> Exchange:
        """Sends once; a connection that breaks after it was made is an Exchange with `transport_error`.

        Raises:
            SystemUnavailable: nobody listens at the address.
        """
        sent_at, started = datetime.now(UTC), time.perf_counter()
        response: Response | None = None
        broke: str | None = None
        try:
            response = await asyncio.to_thread(self._send, request)
        except (OSError, http.client.HTTPException) as error:
            broke = f"{type(error).__name__}: {error}"
        return Exchange(
            side=self._side,
            base_url=self._base_url,
            request=request,
            response=response,
            transport_error=broke,
            sent_at=sent_at,
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    async def close(self) -> None:
        """Nothing is kept open."""

    def _send(self, request: Request) -> Response:
        connection = self._connect()
        try:
            _write(connection, self._parts.path.rstrip("/") + request.url, request)
            return _read(connection)
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout_s)
        try:
            connection.connect()
        except OSError as error:
            hint = "Check the address and that the application is running."
            raise SystemUnavailable(
                f"the application does not answer: {error}", where=self._base_url, hint=hint
            ) from error
        return connection


def _write(connection: http.client.HTTPConnection, url: str, request: Request) -> None:
    names = {name.lower() for name, _ in request.headers}
    target = quote(url, safe=_SENT_AS_IS)
    connection.putrequest(request.method, target, skip_host="host" in names, skip_accept_encoding=True)
    for name, value in request.headers:
        connection.putheader(name, _header_bytes(value))
    if "content-length" not in names and (request.body is not None or request.method in _WITH_BODY):
        connection.putheader("Content-Length", str(len(request.body or b"")))
    connection.endheaders(request.body)


def _header_bytes(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def _read(connection: http.client.HTTPConnection) -> Response:
    answer = connection.getresponse()
    headers: Headers = tuple(answer.getheaders())
    try:
        body, is_truncated = answer.read(), False
    except http.client.IncompleteRead as error:
        body, is_truncated = error.partial, True
    return Response(status=answer.status, headers=headers, body=body, is_truncated=is_truncated)
