"""A warm request through gateway and Runtime API, against calling the same handler in this process.

The function is a real artifact in a real execution environment; client and gateway share this process, as in tests.
"""

import asyncio
import gc
import importlib.util
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from bench.measure import Benchmark, Figure, Limit, Part, figure
from harness.staging.stack import LocalCloud
from tests.builders.lambda_cloud import build_probe_functions, definition

_REQUESTS = 200
_ROUNDS = 5
_PATH = "/echo"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """Milliseconds of the same number of requests on both ways."""

    through_gateway: list[float]
    in_process: list[float]


def _overhead() -> Figure:
    # Of several rounds the quietest: what else the machine does only ever adds.
    best = min(asyncio.run(_measure()), key=lambda each: median(each.through_gateway))
    direct = median(best.in_process)
    return figure("gateway_overhead", median(best.through_gateway) - direct, direct, unit="ms")


def _slowest() -> Figure:
    # A stall that the gateway causes shows in every round, one that the machine's other work causes does not.
    best = min(asyncio.run(_measure()), key=lambda each: max(each.through_gateway))
    return figure("gateway_slowest", max(best.through_gateway), median(best.through_gateway), unit="ms")


async def _measure() -> list[_Round]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        artifacts = build_probe_functions(directory)
        handler = _load_handler(directory)
        cloud = LocalCloud(definition(), artifacts, runtime_directory=directory / "runtime", aws_endpoint=None)
        async with _running(cloud), aiohttp.ClientSession() as client:
            event = await _fetch(client, cloud.gateway_url)  # a cold start; the answer is the event itself
            await _round(client, cloud.gateway_url, handler, event)
            return [await _round(client, cloud.gateway_url, handler, event) for _ in range(_ROUNDS)]


async def _round(client: aiohttp.ClientSession, url: str, handler: Callable[[Any, Any], Any], event: Any) -> _Round:
    through, direct = [], []
    gc.collect()
    for _ in range(_REQUESTS):
        started = time.perf_counter()
        await _fetch(client, url)
        answered = time.perf_counter()
        handler(event, None)
        direct.append((time.perf_counter() - answered) * 1000)
        through.append((answered - started) * 1000)
    return _Round(through_gateway=through, in_process=direct)


async def _fetch(client: aiohttp.ClientSession, url: str) -> Any:
    async with client.get(f"{url}{_PATH}") as answer:
        if answer.status != 200:
            raise RuntimeError(f"the gateway answered {answer.status}: {await answer.text()}")
        return await answer.json()


def _load_handler(directory: Path) -> Callable[[Any, Any], Any]:
    path = directory / "product" / "functions" / "probe" / "handler.py"
    spec = importlib.util.spec_from_file_location("bench_probe_handler", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"no handler at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[Any, Any], Any] = module.handler
    return handler


@asynccontextmanager
async def _running(cloud: LocalCloud) -> AsyncIterator[None]:
    await cloud.start()
    try:
        yield
    finally:
        await cloud.stop()


BENCHMARKS = (
    Benchmark(
        name="gateway_overhead",
        about="what gateway and Runtime API add to a warm request (p50), beside the handler called in process",
        run=_overhead,
        limit=Limit(bound=3, of=Part.VALUE),
    ),
    Benchmark(
        name="gateway_slowest",
        about=f"the slowest of {_REQUESTS} warm requests one after the other, beside their p50",
        run=_slowest,
        limit=Limit(bound=40, of=Part.VALUE),
    ),
)
