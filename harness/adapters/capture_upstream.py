"""The way from a recording proxy to the system behind it: bodies as streams, nothing added, nothing followed."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import aiohttp

from harness.adapters.http import (
    AUTOMATIC_HEADERS,
    MAX_HEADER_BYTES,
    VerbatimRequest,
    multimap,
    parse_base_url,
    request_target,
)
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Headers

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT_OPEN_S = 1.0
_reused: ContextVar[bool] = ContextVar("reused", default=False)
"""Whether the request of this task went over a connection that had served another."""
_sent: ContextVar[bool] = ContextVar("sent", default=False)
"""Whether the request of this task has been begun to be sent."""
_used: WeakSet[Any] = WeakSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamOptions:
    """Limits: for a connection, and for silence while an answer is awaited or read."""

    connect_timeout_s: float = 5.0
    silence_timeout_s: float = 300.0


class UpstreamFailed(Exception):
    """No answer; the text says why in words, `is_late` that it did not come in time.

    Where `was_sent`, the request may have been served.
    """

    def __init__(self, why: str, *, is_late: bool = False, was_sent: bool = True) -> None:
        self.is_late = is_late
        self.was_sent = was_sent
        super().__init__(why)


class Upstream:
    """Sends requests on, path and query byte for byte.

    A request that changes something gets a connection of its own, and is sent once; a read takes one that is open, and
    is sent again where the server had closed that one meanwhile.
    """

    def __init__(self, url: str, options: UpstreamOptions | None = None) -> None:
        """Checks the address.

        Raises:
            ConfigurationError: it is not an origin.
        """
        parsed = parse_base_url(url.rstrip("/"), "upstream")
        if parsed.raw_path not in ("", "/"):
            hint = "Give scheme, host and port alone: clients write the path."
            raise ConfigurationError("the upstream's address has a path", where=url, hint=hint)
        self.origin = url.rstrip("/")
        self._url = parsed.origin()
        self._options = options or UpstreamOptions()
        self._reads: aiohttp.ClientSession | None = None
        self._writes: aiohttp.ClientSession | None = None

    async def open(
        self, method: str, target: str, headers: Headers, body: AsyncIterator[bytes] | None
    ) -> aiohttp.ClientResponse:
        """The answer's head; its body is still to be read, undecoded, and the answer to be released.

        Raises:
            UpstreamFailed: no connection, no answer, or no HTTP.
        """
        request_target.set(target)
        _reused.set(False)
        _sent.set(False)
        try:
            try:
                return await self._send(method, headers, body)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if body is not None or method not in _SAFE or not _reused.get():
                    raise
                return await self._send(method, headers, None)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            raise _failed(error) from error

    @staticmethod
    def was_sent() -> bool:
        """Whether the request of this task, which was cut off, may have been served."""
        return _sent.get()

    async def is_reachable(self) -> bool:
        """Whether something listens; nothing is sent."""
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                _, writer = await asyncio.open_connection(self._url.host, self._url.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def close(self) -> None:
        """Closes all connections."""
        for session in (self._reads, self._writes):
            if session is not None:
                await session.close()
        self._reads = self._writes = None

    async def _send(self, method: str, headers: Headers, body: AsyncIterator[bytes] | None) -> aiohttp.ClientResponse:
        session = self._session(is_read=method in _SAFE and body is None)
        return await session.request(method, self._url, headers=multimap(headers), data=body, allow_redirects=False)

    def _session(self, *, is_read: bool) -> aiohttp.ClientSession:
        if self._reads is None or self._writes is None:
            self._reads = self._opened(aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_OPEN_S))
            self._writes = self._opened(aiohttp.TCPConnector(limit=0, force_close=True))
        return self._reads if is_read else self._writes

    def _opened(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        options = self._options
        session = aiohttp.ClientSession(
            request_class=_NotingRequest,
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=options.connect_timeout_s, sock_read=options.silence_timeout_s
            ),
            skip_auto_headers=AUTOMATIC_HEADERS,
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        # aiohttp would send again what may have been served; here it is known whether that can be.
        session._retry_connection = False
        return session


class _NotingRequest(VerbatimRequest):
    """Notes whether its connection had served another request."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        _reused.set(conn.protocol in _used)
        _used.add(conn.protocol)
        _sent.set(True)
        return await super().send(conn)


def _failed(error: Exception) -> UpstreamFailed:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UpstreamFailed("no connection in time", is_late=True, was_sent=False)
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamFailed(f"no connection: {error.os_error.strerror or error.os_error}", was_sent=False)
    if isinstance(error, TimeoutError):
        return UpstreamFailed("no complete answer in time", is_late=True)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return UpstreamFailed("connection closed before an answer")
    if isinstance(error, aiohttp.ClientResponseError):
        return UpstreamFailed("the answer is not HTTP")
    return UpstreamFailed(f"the connection broke: {type(error).__name__}")
