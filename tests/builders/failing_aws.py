"""An AWS endpoint before moto that can throttle or vanish."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

_SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_OF_THE_HOP = frozenset({"transfer-encoding", "content-length", "content-encoding", "connection", "date", "server"})


class Mood(Enum):
    """How the endpoint answers."""

    WELL = "well"
    THROTTLING = "throttling"
    GONE = "gone"


class FailingAws:
    """Relays to `upstream` while its mood is WELL."""

    def __init__(self, upstream: str) -> None:
        self.mood = Mood.WELL
        self.refused = 0
        self._upstream = upstream

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Yields its address."""
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        async with aiohttp.ClientSession(auto_decompress=False) as self._session, TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")

    async def _answer(self, request: web.Request) -> web.Response:
        if self.mood is not Mood.WELL:
            self.refused += 1
        if self.mood is Mood.GONE and request.transport is not None:
            request.transport.abort()
        if self.mood is not Mood.WELL:
            return web.Response(status=503, text=_SLOW_DOWN, content_type="application/xml")
        async with self._session.request(
            request.method, self._upstream + request.raw_path, headers=request.headers, data=await request.read()
        ) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_HOP}
            return web.Response(status=answer.status, headers=headers, body=await answer.read())
