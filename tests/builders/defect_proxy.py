"""A proxy between the replay and the target that plants a defect in what the target answers or stores."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from yarl import URL

_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length"})
_NOT_ADDED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request on its way to the target; `path` is path and query as on the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def document(self) -> Any:
        """The body's JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def document(self) -> Any:
        """The body's JSON."""
        return orjson.loads(self.body)


Forward = Callable[[Sent], Awaitable[Answer]]
Plant = Callable[[Sent, Forward], Awaitable[Answer]]
"""Answers a request with the target's help, and does something wrong."""


async def pass_on(sent: Sent, forward: Forward) -> Answer:
    """Plants nothing."""
    return await forward(sent)


class DefectProxy:
    """Serves on loopback from a thread of its own, so that a command can run in the test's."""

    def __init__(self, target_url: str) -> None:
        self.plant: Plant = pass_on
        self.url = ""
        self._target_url = target_url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stopped: asyncio.Event | None = None

    def __enter__(self) -> "DefectProxy":
        self._thread.start()
        self._session, self._runner = self._run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> tuple[aiohttp.ClientSession, web.AppRunner]:
        session = aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=_NOT_ADDED)
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._handle)
        app.on_response_prepare.append(_add_nothing)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return session, runner

    async def _stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.Response:
        sent = Sent(
            method=request.method,
            path=request.raw_path,
            headers=_decoded(request.raw_headers),
            body=await request.read(),
        )
        answer = await self.plant(sent, self._forward)
        response = web.Response(status=answer.status, body=answer.body or None)
        response.headers.popall("Content-Type", None)
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    async def _forward(self, sent: Sent) -> Answer:
        url = URL(self._target_url + sent.path, encoded=True)
        call = self._session.request(
            sent.method, url, headers=sent.headers, data=sent.body or None, allow_redirects=False
        )
        async with call as response:
            return Answer(status=response.status, headers=_decoded(response.raw_headers), body=await response.read())


async def _add_nothing(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.pop("Server", None)


def _decoded(raw: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[str, str], ...]:
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    return tuple((name, value) for name, value in pairs if name.lower() not in _HOP_BY_HOP)
