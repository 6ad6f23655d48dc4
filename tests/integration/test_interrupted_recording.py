"""A recording that is ended, or interrupted while it ends, at one moment after the other: its file is whole."""

import asyncio
import itertools
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from harness.adapters.capture_journal import CaptureJournal
from harness.adapters.capture_proxy import ProxyOptions
from harness.adapters.evidence_files import load_manifest
from harness.settings import Settings
from harness.wiring.record import Listen, RecordRequest, record
from harness.wiring.rules import rules_of_today
from harness.wiring.shadow import ShadowRequest, shadowing
from tests.builders.interruption import Interruption

EVERY = 3
"""Of about 80 moments each of these is tried; 1 tries them all."""
TRAFFIC = (("POST", "/things/1"), ("GET", "/things/1"), ("DELETE", "/things/1"))


@dataclass
class Things:
    """Answers every request, and keeps which came."""

    origin: str = ""
    came: list[tuple[str, str]] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    async def answer(self, request: web.Request) -> web.Response:
        self.came.append((request.method, request.path))
        self.asked.set()
        await self.answers.wait()
        return web.json_response({})


@asynccontextmanager
async def _served() -> AsyncIterator[Things]:
    things, app = Things(), web.Application()
    app.router.add_route("*", "/{path:.*}", things.answer)
    async with TestServer(app) as server:
        things.origin = str(server.make_url("")).rstrip("/")
        yield things


@pytest.fixture
async def legacy() -> AsyncIterator[Things]:
    async with _served() as things:
        yield things


@pytest.fixture
async def target() -> AsyncIterator[Things]:
    async with _served() as things:
        yield things


@dataclass
class Recorded:
    """A recording of `TRAFFIC` that ends by itself, and what its client knows of it."""

    upstream: Things
    directory: Path
    shadow: Things
    url: str = ""
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    answered: list[tuple[str, str]] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.directory / "recorded.jsonl"

    @property
    def run(self) -> Path:
        return self.directory / "run"

    def request(self, proxy: ProxyOptions | None = None) -> RecordRequest:
        listen = Listen(host="127.0.0.1", port=0)
        return RecordRequest(listen=listen, upstream=self.upstream.origin, out=self.out, proxy=proxy or ProxyOptions())

    async def record(self, interruption: Interruption) -> None:
        client = asyncio.create_task(self.send(asyncio.current_task()))
        request = self.request()
        rules = rules_of_today((), Settings().rows)
        copies = ShadowRequest(target=self.shadow.origin, out=self.run, rules=rules)
        try:
            async with shadowing(copies, request, lambda _: None) as shadow:
                await record(request, self.ready, lambda _: None, shadow.take)
        finally:
            client.cancel()
            with suppress(asyncio.CancelledError):
                await client
        if interruption.has_come:  # and was taken for the ordinary end
            raise asyncio.CancelledError

    def ready(self, url: str) -> None:
        self.url = url
        self.is_ready.set()

    async def send(self, recorder: asyncio.Task[Any] | None) -> None:
        await self.is_ready.wait()
        async with aiohttp.ClientSession(self.url) as client:
            for method, path in TRAFFIC:
                with suppress(aiohttp.ClientError):
                    async with client.request(method, path):
                        self.answered.append((method, path))
        if recorder is not None:
            recorder.cancel()

    def requests(self) -> list[tuple[str, str]]:
        """What is stored, in its order."""
        return [tuple(line["name"].split(" ")) for line in self.lines()]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.read_text().splitlines()] if self.out.exists() else []


@pytest.mark.parametrize("is_late", [False, True], ids=["as it asks", "as the answer comes"])
async def test_what_reached_the_upstream_is_in_the_file_whenever_the_recording_ends(
    legacy: Things, target: Things, tmp_path: Path, is_late: bool
) -> None:
    for at in itertools.count(1 + is_late * (EVERY // 2), EVERY):
        directory = tmp_path / str(at)
        await asyncio.to_thread(directory.mkdir)
        legacy.came.clear()
        target.came.clear()
        interruption = Interruption(at, is_late=is_late)
        recorded = Recorded(upstream=legacy, directory=directory, shadow=target)
        await interruption.during(partial(recorded.record, interruption))
        assert recorded.requests() == legacy.came, at
        assert set(recorded.answered) <= set(legacy.came), at
        assert len(set(legacy.came)) == len(legacy.came), "sent twice"
        assert {method for method, _ in target.came} <= {"GET"}, at
        await _require_nothing_left(recorded)
        if not interruption.has_come:
            break
    assert recorded.answered == list(TRAFFIC)
    assert at > 50, "the work had hardly a moment"


@pytest.mark.parametrize("is_asked_again", [False, True], ids=["when its time is up", "when asked again"])
async def test_a_write_that_the_end_cuts_off_is_recorded_without_its_answer(
    legacy: Things, tmp_path: Path, is_asked_again: bool
) -> None:
    legacy.answers.clear()
    grace = ProxyOptions(grace_s=600 if is_asked_again else 0.05)
    recorded = Recorded(upstream=legacy, directory=tmp_path, shadow=legacy)
    recording = asyncio.create_task(record(recorded.request(grace), recorded.ready, lambda _: None))
    client = asyncio.create_task(recorded.send(None))
    await legacy.asked.wait()
    recording.cancel()
    if is_asked_again:
        while await _is_listening(recorded.url):
            pass
        recording.cancel()
    finished = await asyncio.wait_for(recording, 10)
    await client
    (line,) = recorded.lines()
    assert line["response"]["transport_error"] == "the recording ended before its answer"
    assert (recorded.requests(), legacy.came) == ([TRAFFIC[0]], [TRAFFIC[0]])
    assert finished.finished is not None and not recorded.answered
    await _require_nothing_left(recorded)


async def test_a_body_that_the_end_cuts_off_is_no_request_to_replay(legacy: Things, tmp_path: Path) -> None:
    recorded = Recorded(upstream=legacy, directory=tmp_path, shadow=legacy)
    recording = asyncio.create_task(
        record(recorded.request(ProxyOptions(grace_s=0.05)), recorded.ready, lambda _: None)
    )
    await recorded.is_ready.wait()
    host, _, port = recorded.url.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /things/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
    await legacy.asked.wait()
    recording.cancel()
    finished = await asyncio.wait_for(recording, 10)
    writer.close()
    assert finished.finished is None
    assert finished.counts.left_out == {"its body did not come as a whole, or is longer than what is kept": 1}
    await _require_nothing_left(recorded)


async def test_an_answer_on_its_way_passes_and_is_the_last_of_its_connection(legacy: Things, tmp_path: Path) -> None:
    legacy.answers.clear()
    recorded = Recorded(upstream=legacy, directory=tmp_path, shadow=legacy)
    recording = asyncio.create_task(record(recorded.request(), recorded.ready, lambda _: None))
    await recorded.is_ready.wait()
    async with aiohttp.ClientSession(recorded.url) as client:
        asking = asyncio.create_task(client.post("/things/1"))
        await legacy.asked.wait()
        recording.cancel()
        while await _is_listening(recorded.url):
            pass
        legacy.answers.set()
        async with await asking as answer:
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
        await asyncio.wait_for(recording, 10)
    (line,) = recorded.lines()
    assert line["response"]["status"] == 200
    await _require_nothing_left(recorded)


async def test_what_waits_for_the_disk_is_written_though_the_end_be_interrupted(
    legacy: Things, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, may_write = CaptureJournal.append, threading.Event()

    def slow(self: CaptureJournal, *line: Any) -> None:
        may_write.wait(10)
        append(self, *line)

    monkeypatch.setattr(CaptureJournal, "append", slow)
    recorded = Recorded(upstream=legacy, directory=tmp_path, shadow=legacy)
    recording = asyncio.create_task(record(recorded.request(), recorded.ready, lambda _: None))
    await recorded.send(recording)
    assert len(recorded.answered) == len(TRAFFIC)
    threading.Timer(0.05, may_write.set).start()
    while not recording.done():
        recording.cancel()
        await asyncio.sleep(0)
    assert recorded.requests() == list(TRAFFIC)
    await _require_nothing_left(recorded)


async def _require_nothing_left(recorded: Recorded) -> None:
    """No draft, no thread, no socket that listens, and no connection to what was recorded; a run is finished."""
    there = {path.name for path in recorded.directory.iterdir()}
    assert there <= {recorded.out.name, recorded.run.name}
    assert recorded.out.exists() == bool(recorded.requests())
    assert recorded.run.name not in there or load_manifest(recorded.run).finished_at is not None
    assert not [each.name for each in threading.enumerate() if each.name.startswith(("record", "shadow"))]
    assert not recorded.url or not await _is_listening(recorded.url)


async def _is_listening(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
