"""One side over HTTP: what is sent is exactly what was asked, what is kept is exactly what came."""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
from msgspec import structs
from multidict import CIMultiDict
from yarl import URL

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Exchange, Headers, Request, Response, Side
from harness.domain.request_target import wire_target

AUTOMATIC_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
MAX_HEADER_BYTES = 65_536
_SERVER_ERROR = 500
_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorError, "connection refused"),
    (aiohttp.ServerDisconnectedError, "connection closed before an answer"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (OSError, "connection reset"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """Limits of one side's client.

    Connections are fresh for every request unless `reuse_connections`: a server that closes a connection after an
    uncaught error would otherwise break the request that follows, which did nothing wrong.
    """

    timeout_s: float = 60.0
    connect_timeout_s: float = 5.0
    max_body_bytes: int = 64 * 1024 * 1024
    max_connections: int = 100
    reuse_connections: bool = False


def utc_now() -> datetime:
    """The system's clock as aware UTC."""
    return datetime.now(UTC)


class HttpSide:
    """A `SideClient` on aiohttp.

    Guarantees: path and query go out byte for byte as given (only what cannot stand in a request line, such as a
    space, is percent-encoded); no header is added but `Host` and the body's length; repeated headers stay
    repeated in both directions; no redirect is followed, no cookie kept, no body decompressed, no request retried,
    no proxy of the environment used.
    """

    def __init__(
        self,
        side: Side,
        base_url: str,
        *,
        options: HttpOptions | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._side = side
        self._options = options or HttpOptions()
        self._clock = clock
        self.base_url = base_url.rstrip("/")
        base = parse_base_url(self.base_url, side)
        self._host, self._port = base.host or "", base.port or 80
        self._origin, self._prefix = base.origin(), base.raw_path.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def require_reachable(self) -> None:
        """Opens and closes a connection; sends nothing.

        Raises:
            SystemUnavailable: nothing listens at the address.
        """
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                _, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else ""
            raise SystemUnavailable(
                f"the {self._side} does not answer: {reason or 'no connection within the time allowed'}",
                where=self.base_url,
                hint="Start it, or correct the address.",
            ) from error
        writer.close()

    async def send(self, request: Request) -> Exchange:
        """Sends once; a broken connection, a time-out and an unreadable answer become `transport_error`."""
        url = wire_target(request.url)
        if url != request.url:
            request = structs.replace(request, url=url)
        response, failure = None, None
        sent_at, started = self._clock(), time.perf_counter()
        try:
            response = await self._exchange(request)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            failure = _describe(error, self._options.timeout_s)
        return Exchange(
            side=self._side,
            base_url=self.base_url,
            request=request,
            response=response,
            transport_error=failure,
            sent_at=sent_at,
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    async def close(self) -> None:
        """Closes all connections; the next `send` opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, request: Request) -> Response:
        request_target.set(self._prefix + request.url)
        answer = await self._opened().request(
            request.method,
            self._origin,
            headers=multimap(request.headers),
            data=request.body,
            allow_redirects=False,
        )
        try:
            body, is_truncated = await self._read(answer.content)
            headers = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers])
            return Response(status=answer.status, headers=headers, body=body, is_truncated=is_truncated)
        finally:
            if not answer.content.at_eof():
                answer.close()

    async def _read(self, content: aiohttp.StreamReader) -> tuple[bytes, bool]:
        body = bytearray()
        try:
            while not content.at_eof():
                body += await content.readany()
                if len(body) > self._options.max_body_bytes:
                    return bytes(body[: self._options.max_body_bytes]), True
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError):
            return bytes(body), True
        return bytes(body), False

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            options = self._options
            self._session = aiohttp.ClientSession(
                request_class=VerbatimRequest if options.reuse_connections else _FreshRequest,
                response_class=_WaryResponse,
                connector=aiohttp.TCPConnector(limit=options.max_connections, keepalive_timeout=1.0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=options.timeout_s, sock_connect=options.connect_timeout_s),
                skip_auto_headers=AUTOMATIC_HEADERS,
                auto_decompress=False,
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
            )
            # aiohttp sends an idempotent request again when the server hangs up, and says nothing of it.
            self._session._retry_connection = False
        return self._session


request_target: ContextVar[str] = ContextVar("target")
"""Of the request that this task sends: yarl would drop an empty query and all after `#`."""
_NO_AUTOMATIC_HEADERS = CIMultiDict((name, None) for name in AUTOMATIC_HEADERS)


class VerbatimRequest(aiohttp.ClientRequest):
    """Sends the target of `request_target` unchanged, and no header that it was not given."""

    def update_auto_headers(self, skip_auto_headers: Any) -> None:
        self._skip_auto_headers = _NO_AUTOMATIC_HEADERS

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        parsed = self.url
        self.url = cast(URL, _VerbatimUrl(parsed, request_target.get()))
        try:
            return await super().send(conn)
        finally:
            self.url = parsed


class _FreshRequest(VerbatimRequest):
    """Leaves its connection to nobody, without telling the server so in a header."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        conn.protocol.force_close()
        return await super().send(conn)


class _WaryResponse(aiohttp.ClientResponse):
    """Gives a connection back for use by others unless the answer says that the server failed."""

    _ended_early = False

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        await super().start(connection)
        if self._ended_early:
            self._response_eof()
        return self

    def _response_eof(self) -> None:
        if getattr(self, "status", None) is None:
            # A body that came with the head ends before the status is known, which decides.
            self._ended_early = True
            return
        if self.status >= _SERVER_ERROR and self._connection is not None and self._connection.protocol is not None:
            self._connection.protocol.force_close()
        super()._response_eof()


class _VerbatimUrl:
    """A URL but for its request target."""

    def __init__(self, url: URL, target: str) -> None:
        self._url = url
        self.raw_path_qs = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._url, name)


def multimap(headers: Headers) -> CIMultiDict[str]:
    """The headers as aiohttp takes them, repeats kept."""
    # aiohttp drops all but the last of a repeated header where the spellings of its name differ.
    spellings: dict[str, str] = {}
    return CIMultiDict((spellings.setdefault(name.lower(), name), value) for name, value in headers)


def parse_base_url(base_url: str, side: str) -> URL:
    """The parts of an address; `side` says whose, in messages.

    Raises:
        ConfigurationError: it is no HTTP URL of host and path alone.
    """
    hint = "Give an address such as http://127.0.0.1:8000."
    try:
        parsed = URL(base_url)
    except ValueError as error:
        raise ConfigurationError(
            f"the {side}'s address is not a URL: {error}", where=base_url.rpartition("@")[2], hint=hint
        ) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigurationError(
            f"the {side}'s address is not an HTTP URL", where=base_url.rpartition("@")[2], hint=hint
        )
    if parsed.user is not None or parsed.query_string or parsed.fragment:
        raise ConfigurationError(f"the {side}'s address carries more than host and path", hint=hint)
    return parsed


def _describe(error: Exception, timeout_s: float) -> str:
    """What happened in words that do not depend on address or library version: they are compared."""
    if isinstance(error, TimeoutError):
        return f"no complete answer within {timeout_s:g} s"
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            return words
    return f"cannot be sent: {error}" if isinstance(error, ValueError) else f"broken: {type(error).__name__}"
