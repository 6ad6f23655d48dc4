"""A reverse proxy that hands everything on as it comes, and tells of each exchange once it is over."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from harness.adapters.capture_messages import (
    RelayedAnswer,
    hang_up,
    make_request,
    origin_form,
    raw_headers,
    unanswered,
)
from harness.adapters.capture_upstream import Upstream, UpstreamFailed
from harness.adapters.http import MAX_HEADER_BYTES, utc_now
from harness.domain.capture.relay import end_to_end, without
from harness.domain.capture.steps import Captured
from harness.domain.exchange import Exchange, Headers, Request, Response, Side
from harness.uninterrupted import run_to_its_end

_log = logging.getLogger(__name__)
# A request that is no HTTP is answered and is the client's own affair: aiohttp would print a traceback for each.
_http_log = logging.getLogger(f"{__name__}.http")
_http_log.setLevel(logging.CRITICAL)
_TURNS = 5
_SILENT_S = 0.1
"""How long the end waits for a connection that nothing has been asked on."""
_CUT_OFF = "the recording ended before its answer"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """How requests are handed on, and how much of a body is kept for the record; all of it is handed on."""

    keeps_host: bool = True
    """Whether the upstream sees the `Host` that the client sent, so that locations name the proxy."""
    max_kept_bytes: int = 16 * 1024 * 1024
    grace_s: float = 10.0
    """How long answers that are on their way may take once the proxy is told to stop."""


@dataclass(slots=True, kw_only=True)
class ProxyCounts:
    """What was answered by the proxy itself."""

    unanswered: int = 0
    """Requests that the upstream did not answer; those that may have reached it are recorded all the same."""


@dataclass(slots=True)
class _Kept:
    """The first bytes of a body."""

    limit: int
    data: bytearray = field(default_factory=bytearray)
    is_whole: bool = True

    def add(self, chunk: bytes) -> None:
        if self.is_whole and len(self.data) + len(chunk) > self.limit:
            self.is_whole = False
            self.data.clear()
        if self.is_whole:
            self.data += chunk


class CaptureProxy:
    """Serves one upstream.

    Guarantees: bodies pass as streams, byte for byte and as they are encoded; end-to-end headers keep order, spelling
    and repeats; nothing is added but what frames the message on each connection. `on_exchange` is told of an exchange
    after its answer has been sent, and of one that the end cut off; `before_answer` is awaited before an answer begins.

    Source: RFC 9110, sections 7.6 and 10.1.1; RFC 9112, section 6.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        on_exchange: Callable[[Captured], None],
        before_answer: Callable[[], Awaitable[None]],
        on_outage: Callable[[str], None],
        options: ProxyOptions | None = None,
    ) -> None:
        self.counts = ProxyCounts()
        self._upstream = upstream
        self._options = options or ProxyOptions()
        self._on_exchange = on_exchange
        self._before_answer = before_answer
        self._on_outage = on_outage
        self._runner: web.ServerRunner | None = None
        self._relaying = set[asyncio.Task[Any]]()
        self._is_stopping = False
        self.url = ""

    async def start(self, host: str, port: int) -> None:
        """Listens; port 0 takes a free one.

        Raises:
            OSError: the address cannot be listened at.
        """
        server = web.Server(
            self._handle,
            request_factory=make_request,
            access_log=None,
            logger=_http_log,
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=_SILENT_S)
        await self._runner.setup()
        # A socket that was opened for a task which is cancelled meanwhile would be nobody's to close.
        await run_to_its_end(web.TCPSite(self._runner, host, port, backlog=1024).start())
        bound = self._runner.addresses[0]
        self.url = f"http://[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"http://{bound[0]}:{bound[1]}"

    async def stop(self) -> None:
        """Stops listening; answers that are on their way may end, as long as is allowed.

        Whatever happens to the task: every exchange has been told of, and every connection is closed afterwards. To
        cancel it cuts the waiting short.
        """
        self._is_stopping = True
        try:
            await self._stop_listening()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._options.grace_s):
                    while self._relaying:
                        await asyncio.wait(tuple(self._relaying))
        finally:
            await run_to_its_end(self._close())

    async def _stop_listening(self) -> None:
        for site in () if self._runner is None else self._runner.sites:
            await site.stop()
        # A connection that came last is known to nobody before the loop has turned some times, and never closed.
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _close(self) -> None:
        await self._stop_listening()
        relaying = tuple(self._relaying)
        for task in relaying:
            task.cancel()
        if relaying:
            await asyncio.wait(relaying)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await self._upstream.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        if task is not None:
            self._relaying.add(task)
            task.add_done_callback(self._relaying.discard)
        try:
            return await _Relay(self, request).run()
        except Exception:  # noqa: BLE001 - the process edge: no request may end the proxy
            _log.exception("the proxy failed on a request")
            hang_up(request)
            return web.Response(status=500)

    # What a relay needs of its proxy.

    @property
    def is_stopping(self) -> bool:
        """Whether this answer is to be the last of its connection."""
        return self._is_stopping

    @property
    def options(self) -> ProxyOptions:
        """As given."""
        return self._options

    @property
    def upstream(self) -> Upstream:
        """As given."""
        return self._upstream

    async def before_answer(self) -> None:
        """Awaited before an answer begins."""
        await self._before_answer()

    def end(self, captured: Captured) -> None:
        """Tells of an exchange."""
        self._on_exchange(captured)

    def failed(self, why: str) -> None:
        """Counts and tells of a request without an answer."""
        self.counts.unanswered += 1
        self._on_outage(why)


class _Relay:
    """One request and its answer on their way."""

    def __init__(self, proxy: CaptureProxy, request: web.BaseRequest) -> None:
        self._proxy = proxy
        self._request = request
        self._sent = _Kept(proxy.options.max_kept_bytes)
        self._answered = _Kept(proxy.options.max_kept_bytes)
        self._sent_at, self._started = utc_now(), time.perf_counter()

    async def run(self) -> web.StreamResponse:
        """Hands the request on and its answer back."""
        target = origin_form(self._request.raw_path)
        if target is None:
            return web.Response(status=400, text="parakeet record: not a request for this proxy\n")
        headers = raw_headers(self._request.raw_headers)
        onward = without(end_to_end(headers), "expect", *(() if self._proxy.options.keeps_host else ("host",)))
        body = self._body() if self._request.body_exists else None
        try:
            answer = await self._proxy.upstream.open(self._request.method, target, onward, body)
        except UpstreamFailed as error:
            self._proxy.failed(str(error))
            if error.was_sent:
                self._tell(target, onward, None, broke=str(error))
            return unanswered(self._proxy.upstream.origin, error)
        except asyncio.CancelledError:
            if self._proxy.upstream.was_sent():
                self._tell(target, onward, None, broke=_CUT_OFF)
            raise
        is_whole = False
        try:
            await self._proxy.before_answer()
            response, is_whole = await self._answer(answer)
        finally:
            answer.close()
            self._tell(target, onward, self._received(answer, is_whole=is_whole))
        return response

    def _received(self, answer: aiohttp.ClientResponse, *, is_whole: bool) -> Response:
        return Response(
            status=answer.status,
            headers=raw_headers(answer.raw_headers),
            body=bytes(self._answered.data),
            is_truncated=not (is_whole and self._answered.is_whole),
        )

    async def _body(self) -> AsyncIterator[bytes]:
        # Only now does anyone want it: a client that asked whether to send it is told to.
        request = self._request
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(_CONTINUE)
        async for chunk in request.content.iter_any():
            self._sent.add(chunk)
            yield chunk

    async def _answer(self, answer: aiohttp.ClientResponse) -> tuple[web.StreamResponse, bool]:
        """What was sent back, and whether all of it was."""
        response = RelayedAnswer(answer, self._client_origin(), self._proxy.upstream.origin)
        if self._proxy.is_stopping:
            response.force_close()
        try:
            await response.prepare(self._request)
            async for chunk in answer.content.iter_any():
                self._answered.add(chunk)
                await response.write(chunk)
            await response.write_eof()
        except (aiohttp.ClientError, OSError, TimeoutError):
            # Either end broke: the client must not take what it has for the whole.
            hang_up(self._request)
            return response, False
        return response, True

    def _tell(self, target: str, headers: Headers, response: Response | None, broke: str | None = None) -> None:
        request = Request(method=self._request.method, url=target, headers=headers, body=bytes(self._sent.data) or None)
        exchange = Exchange(
            side=Side.LEGACY,
            base_url=self._proxy.upstream.origin,
            request=request,
            response=response,
            transport_error=broke,
            sent_at=self._sent_at,
            duration_ms=(time.perf_counter() - self._started) * 1000,
        )
        is_whole = self._sent.is_whole and self._request.content.at_eof()
        self._proxy.end(Captured(exchange=exchange, address=self._request.remote or "", is_request_whole=is_whole))

    def _client_origin(self) -> str | None:
        host = self._request.headers.get("Host")
        return None if not host else f"http://{host}"
