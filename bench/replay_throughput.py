"""A replay of read-only sessions, compared and stored, against a bare aiohttp loop that sends the same requests."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

import aiohttp

from bench.measure import Benchmark, Figure, Limit, figure
from harness.adapters.evidence_store import open_run
from harness.adapters.http import HttpOptions, HttpSide
from harness.child import Child, free_port
from harness.domain.compare.rules import Rules
from harness.domain.difference import Outcome
from harness.domain.evidence import RunManifest
from harness.domain.exchange import Side
from harness.domain.session import Session, Step
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from harness.wiring.judgement import judge_run
from harness.wiring.replay import replay_into

_CONCURRENCY = 16
_SESSIONS = 400
_STEPS = 20
_EXCHANGES = _SESSIONS * _STEPS * 2 * 2
"""Both sides, both passes."""
_ROUNDS = 5
_START_TIMEOUT_S = 20.0
_MANIFEST = RunManifest(
    run_id="bench", environment="local", profile="replay", commit="", started_at=datetime(2026, 2, 4, tzinfo=UTC)
)
_RULES = Rules(today=date(2026, 2, 5))


def _run() -> Figure:
    return asyncio.run(_measure())


async def _measure() -> Figure:
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as directory:
        async with serve_stub(Path(directory), "legacy") as legacy, serve_stub(Path(directory), "target") as target:
            for n in range(_ROUNDS):
                # One pass before and one after, so that the machine's load meets both alike.
                sent = await _seconds_of_bare_pass(legacy, target)
                ours.append(_EXCHANGES / await _seconds_of_replay(legacy, target, Path(directory) / f"run-{n}"))
                bare.append(_EXCHANGES / (sent + await _seconds_of_bare_pass(legacy, target)))
    return figure("replay_throughput", median(ours), median(bare), unit="/s")


async def _seconds_of_replay(legacy: str, target: str, run: Path) -> float:
    started = time.perf_counter()
    store = open_run(run, _MANIFEST)
    options = HttpOptions(reuse_connections=True)
    clients = [HttpSide(Side.LEGACY, legacy, options=options), HttpSide(Side.TARGET, target, options=options)]
    try:
        sides = ReplaySide(client=clients[0]), ReplaySide(client=clients[1])
        await replay_into(store, _sessions(), sides, options=ReplayOptions(concurrency=_CONCURRENCY))
    finally:
        for client in clients:
            await client.close()
        store.close()
    judgement = judge_run(run, _RULES)
    seconds = time.perf_counter() - started
    outcomes = [comparison.outcome for comparison in judgement.comparisons]
    if outcomes != [Outcome.IDENTICAL] * (_SESSIONS * _STEPS):
        raise RuntimeError(f"replay_throughput: {len(outcomes)} steps compared, not all of them identical")
    return seconds


async def _seconds_of_bare_pass(legacy: str, target: str) -> float:
    addresses = [step.url for session in _sessions() for step in session.steps]
    started = time.perf_counter()
    async with aiohttp.ClientSession() as client:
        waiting = iter(addresses)
        await asyncio.gather(*(_send_pairs(client, (legacy, target), waiting) for _ in range(_CONCURRENCY)))
    return time.perf_counter() - started


async def _send_pairs(client: aiohttp.ClientSession, bases: Sequence[str], waiting: Iterator[str]) -> None:
    for address in waiting:
        await asyncio.gather(*(_fetch(client, base + address) for base in bases))


async def _fetch(client: aiohttp.ClientSession, url: str) -> bytes:
    async with client.get(url) as answer:
        return await answer.read()


def _sessions() -> tuple[Session, ...]:
    return tuple(
        Session(
            id=f"session-{number:04d}",
            group="items",
            steps=tuple(
                Step(n=n, name=f"read {n}", method="GET", url=f"/api/items/?page={n}") for n in range(1, _STEPS + 1)
            ),
            source="bench",
        )
        for number in range(_SESSIONS)
    )


@asynccontextmanager
async def serve_stub(directory: Path, name: str) -> AsyncIterator[str]:
    """Runs the stub server in a process of its own; gives its origin."""
    port = free_port()
    child = Child.start(
        [sys.executable, "-m", "bench.stub_server", str(port)], name=f"stub {name}", log_path=directory / f"{name}.log"
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await _wait_until_open(port, child)
        yield url
    finally:
        await child.stop()


async def _wait_until_open(port: int, child: Child) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            if child.exit_status is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stub server does not start: {child.tail()}") from error
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


BENCHMARKS = (
    Benchmark(
        name="replay_throughput",
        about=f"exchanges replayed, stored and compared a second, against a bare aiohttp loop, {_CONCURRENCY} at once",
        run=_run,
        limit=Limit(bound=0.5, is_floor=True),
    ),
)
