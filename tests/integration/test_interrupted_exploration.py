"""Fuzzing and generating end when they are asked to, not when they have sent all that they would."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from harness.settings import Settings
from harness.wiring.fuzz import fuzz_target
from harness.wiring.generate import GenerateRequest, generate
from harness.wiring.replay_request import SideOptions
from tests.builders.small_pair import Databases, Servers

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Words", "version": "1"},
    "paths": {
        "/words/{word}": {
            "get": {
                "parameters": [{"name": "word", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "It is there."}},
            }
        }
    },
}
ENOUGH = 40
"""Requests after which nobody wants more; of each operation alone there would be a thousand."""


class Words:
    """Answers everything, and tells when it was asked often enough."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_enough = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/openapi.json":
            return web.json_response(DOCUMENT)
        self.asked += 1
        if self.asked == ENOUGH:
            self.is_enough.set()
        return web.json_response({})


@pytest.fixture
async def served() -> AsyncIterator[tuple[Words, str]]:
    words, app = Words(), web.Application()
    app.router.add_route("*", "/{path:.*}", words.answer)
    async with TestServer(app) as server:
        yield words, str(server.make_url("")).rstrip("/")


def _fuzz(url: str, _: Path) -> Coroutine[Any, Any, object]:
    return fuzz_target(url, (), examples=1000)


def _generate(url: str, out: Path) -> Coroutine[Any, Any, object]:
    request = GenerateRequest(openapi=f"{url}/openapi.json", out=out / "s.json", examples=1000, seed=1)
    return generate(request, Settings())


@pytest.mark.parametrize("work", [_fuzz, _generate])
async def test_no_request_is_sent_behind_an_interrupt(
    served: tuple[Words, str], tmp_path: Path, work: Callable[[str, Path], Coroutine[Any, Any, object]]
) -> None:
    words, url = served
    exploring = asyncio.create_task(work(url, tmp_path))
    await words.is_enough.wait()
    exploring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exploring
    assert words.asked <= ENOUGH + 2, "more than was under way"
    assert not _written(tmp_path)


async def test_what_exploring_stored_is_taken_back_after_an_interrupt(
    servers: Servers, databases: Databases, tmp_path: Path
) -> None:
    await asyncio.to_thread(databases.mark)
    before = await asyncio.to_thread(databases.things)
    thing = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    body = {"content": {"application/json": {"schema": thing}}, "required": True}
    create = {"requestBody": body, "responses": {"201": {"description": "It is there now."}}}
    document = tmp_path / "openapi.json"
    await asyncio.to_thread(document.write_text, json.dumps({**DOCUMENT, "paths": {"/things": {"post": create}}}))
    request = GenerateRequest(
        openapi=str(document),
        out=tmp_path / "s.json",
        legacy_url=servers.start("--sqlite", str(databases.sqlite_path)),
        target=SideOptions(url=servers.start("--dsn", databases.dsn)),
        legacy_db=databases.sqlite_path,
        target_dsn=databases.dsn,
        examples=1000,
    )
    generating = asyncio.create_task(generate(request, Settings()))
    while len((await asyncio.to_thread(databases.things))[0]) <= len(before[0]):
        assert not generating.done(), "nothing was stored"
    generating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await generating
    assert await asyncio.to_thread(databases.things) == before


def _written(directory: Path) -> list[Path]:
    return list(directory.iterdir())
