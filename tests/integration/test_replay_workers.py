"""Replay under load by one Locust master and three workers on addresses of their own."""

import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from harness.adapters.evidence_files import load_records
from harness.domain.compare.rules import Rules
from harness.domain.difference import Outcome
from harness.domain.errors import ExitCode, SystemUnavailable
from harness.domain.replay_load import LoadPlan
from harness.settings import load_settings
from harness.wiring.judgement import judge_run
from harness.wiring.replay_load import LoadRequest, replay_load
from harness.wiring.replay_request import ReplayRequest, SideOptions

ADDRESSES = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
COUNT = 45
RULES = Rules(today=date(2026, 3, 1))
TOKEN = "a-token-of-this-very-test-only-0123456789"


class Counted:
    """A system that counts who asked for what; an odd one answers `/odd` with something else."""

    def __init__(self, *, odd: bool = False, on_request: Callable[[str], None] = lambda _: None) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.tokens: set[str | None] = set()
        self._odd = odd
        self._on_request = on_request

    async def answer(self, request: web.Request) -> web.Response:
        self.asked[str(request.remote), request.path] += 1
        self.tokens.add(request.headers.get("Authorization"))
        self._on_request(str(request.remote))
        is_odd = self._odd and request.path == "/odd"
        return web.json_response({"path": "elsewhere" if is_odd else request.path})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def replay(legacy: Counted, target: Counted, out: Path, *, workers: tuple[str, ...] = ADDRESSES) -> None:
    sessions = out.with_suffix(".json")
    entries = [
        {"id": name, "group": "things", "steps": [{"request": {"method": "GET", "url": url}} for url in urls]}
        for name, urls in (("even", ("/even",)), ("both", ("/even", "/odd")))
    ]
    sessions.write_text(json.dumps({"format_version": 1, "sessions": entries}), encoding="utf-8")
    plan = LoadPlan(rate=60.0, count=COUNT, limit_s=30.0)
    async with legacy.serving() as legacy_url, target.serving() as target_url:
        request = ReplayRequest(
            legacy=SideOptions(url=legacy_url), target=SideOptions(url=target_url, token=TOKEN),
            sessions=(str(sessions),), concurrency=6, out=out,
        )  # fmt: skip
        await replay_load(request, LoadRequest(plan=plan, workers=workers), load_settings(None))


def numbers(out: Path) -> list[int]:
    return [int(record.session_id.rpartition("@")[2]) for record in load_records(out)]


async def test_three_workers_replay_every_session_once_each_its_share_from_its_own_address(tmp_path: Path):
    legacy, target = Counted(), Counted(odd=True)
    await replay(legacy, target, tmp_path / "run")
    assert numbers(tmp_path / "run") == list(range(1, COUNT + 1))
    told = json.loads((tmp_path / "run" / "load.json").read_bytes())
    assert told["workers"] == [{"name": name, "planned": 15, "came": 15, "lost": None} for name in ADDRESSES]
    judgement = judge_run(tmp_path / "run", RULES)
    # What both systems counted is what was compared, but for what was asked at rest and for the document.
    for system in (legacy, target):
        by_address = Counter({name: 0 for name in ADDRESSES})
        for (address, path), count in system.asked.items():
            if address in ADDRESSES:
                assert path in ("/even", "/odd")
                by_address[address] += count
        assert sum(by_address.values()) == judgement.compared == told["requests_of_a_side"]
        assert all(count >= 15 for count in by_address.values())
    outcomes = Counter(found.outcome for found in judgement.comparisons)
    assert outcomes == {Outcome.IDENTICAL: COUNT, Outcome.DIFFERENT: judgement.compared - COUNT}
    assert (legacy.tokens, target.tokens) == ({None}, {None, f"Bearer {TOKEN}"})
    # One process that sends the same is judged to have seen the same, to the byte.
    await replay(Counted(), Counted(odd=True), tmp_path / "one", workers=())
    judge_run(tmp_path / "one", RULES)
    many, one = ((tmp_path / name / "comparisons.jsonl").read_bytes() for name in ("run", "one"))
    assert many == one
    assert not any(TOKEN in path.read_text(errors="replace") for path in (tmp_path / "run").iterdir() if path.is_file())


def worker_process(address: str) -> psutil.Process:
    (found,) = (
        child for child in psutil.Process().children(recursive=True) if any(address in text for text in child.cmdline())
    )
    return found


async def test_a_worker_that_dies_is_named_and_its_share_is_missed(tmp_path: Path):
    dying, asked = ADDRESSES[1], Counter[str]()

    def kill_at_the_third(address: str) -> None:
        asked[address] += 1
        if address == dying and asked[address] == 3:
            os.kill(worker_process(dying).pid, signal.SIGKILL)

    with pytest.raises(SystemUnavailable) as caught:
        await replay(Counted(on_request=kill_at_the_third), Counted(), tmp_path / "run")
    assert caught.value.exit_code is ExitCode.INCONCLUSIVE
    seen = numbers(tmp_path / "run")
    of_the_dead = [each for each in seen if each % 3 == 2]
    assert len(of_the_dead) < 15
    assert sorted(set(range(1, COUNT + 1)) - set(seen)) == [n for n in range(2, COUNT + 1, 3) if n not in of_the_dead]
    told = f"{dying} was killed by signal 9: {len(of_the_dead)} of its 15 sessions came"
    assert told in caught.value.what
    workers = json.loads((tmp_path / "run" / "load.json").read_bytes())["workers"]
    assert [each["lost"] for each in workers] == [None, "was killed by signal 9", None]
    assert {found.outcome for found in judge_run(tmp_path / "run", RULES).comparisons} == {Outcome.IDENTICAL}
    assert psutil.Process().children(recursive=True) == [] or not any(
        "locust" in " ".join(child.cmdline()) for child in psutil.Process().children(recursive=True)
    )
