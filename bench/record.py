"""What recording adds to a request: through `parakeet record` and directly, in turn, against the same server.

Client, proxy and server are a process each; the proxy records every request that it hands on.
"""

import asyncio
import gc
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import aiohttp

from bench.measure import Benchmark, Figure, Limit, Part, figure
from bench.replay_throughput import serve_stub
from tests.builders.recording_process import RecordingProcess

_REQUESTS = 40
_ROUNDS = 60


class _Round(NamedTuple):
    """Milliseconds of the same number of requests on both ways."""

    recorded: list[float]
    direct: list[float]


def _overhead() -> Figure:
    rounds = asyncio.run(_measure())
    recorded, direct = (median(median(way) for way in ways) for ways in zip(*rounds, strict=True))
    return figure("record_overhead", recorded - direct, direct, unit="ms")


async def _measure() -> list[_Round]:
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "recorded.jsonl"
        async with serve_stub(Path(name), "legacy") as origin, aiohttp.ClientSession() as client:
            recording = await asyncio.to_thread(RecordingProcess, origin, out)
            try:
                await _round(client, recording.url, origin)
                rounds = [await _round(client, recording.url, origin) for _ in range(_ROUNDS)]
                status = await asyncio.to_thread(recording.end)
            finally:
                recording.kill()
        recorded = out.read_bytes().count(b"\n")
    if status != 0 or recorded != _REQUESTS * (_ROUNDS + 1):
        raise RuntimeError(f"record_overhead: status {status}, {recorded} requests recorded: {recording.said}")
    return rounds


async def _round(client: aiohttp.ClientSession, through: str, origin: str) -> _Round:
    recorded, direct = [], []
    gc.collect()
    for number in range(_REQUESTS):
        # In turn, so that what else the machine does meets both ways alike.
        recorded.append(await _fetch_ms(client, f"{through}/items?page={number}"))
        direct.append(await _fetch_ms(client, f"{origin}/items?page={number}"))
    return _Round(recorded=recorded, direct=direct)


async def _fetch_ms(client: aiohttp.ClientSession, url: str) -> float:
    started = time.perf_counter()
    async with client.get(url) as answer:
        await answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{url} answered {answer.status}")
    return (time.perf_counter() - started) * 1000


BENCHMARKS = (
    Benchmark(
        name="record_overhead",
        about="what `parakeet record` adds to a request (p50), beside the same request sent directly",
        run=_overhead,
        limit=Limit(bound=2, of=Part.VALUE),
    ),
)
