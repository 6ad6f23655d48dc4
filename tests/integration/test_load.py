"""Locust's users and the watch on the database: what counts as a failure, and what is seen of connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web

from harness.adapters.connection_watch import ConnectionWatch
from harness.adapters.locust import THROTTLED, LoadRun, OperationLoad
from harness.adapters.postgres_dsn import APPLICATION_NAME
from harness.domain.errors import SystemUnavailable
from harness.wiring.measure import run_load
from harness.wiring.probes.load import Loaded, judge_load

RUN_TIME_S = 2
GATEWAYS = {"message": "Service Unavailable"}
APPLICATIONS = {"detail": "Service temporarily unavailable, please retry"}


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address of a server that answers every request by `handler`."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody tells of a sample
        await asyncio.sleep(0.01)


async def test_the_gateways_throttle_is_counted_apart_and_the_applications_503_is_a_failure(tmp_path: Path):
    async def answer(request: web.Request) -> web.Response:
        if request.query.get("sort_by"):
            return web.json_response(APPLICATIONS, status=503)
        if request.path == "/api/trades/1":
            return web.Response(body=b'{"message":"Service Unavailable"}', status=503, content_type="application/json")
        return web.json_response({})

    async with serving(answer) as url:
        run = await run_load(url, users=20, run_time_s=RUN_TIME_S, log_directory=tmp_path)
    counts = {operation.name: (operation.requests > 0, operation.failures) for operation in run.by_operation}
    assert 0 < run.throttled < run.requests
    assert counts["throttled"] == counts["list trades"] == (True, 0)
    assert 0 < run.failures == counts["list open trades by profit"][1]
    (error,) = run.errors
    assert error.startswith("GET list open trades by profit: ")
    assert "503" in error


async def test_the_watch_sees_the_connections_of_others_and_the_limit_for_them(postgres_dsn: str):
    connections = [await asyncpg.connect(postgres_dsn) for _ in range(3)]
    async with asyncio.timeout(10), ConnectionWatch(postgres_dsn, period_s=0.01) as watch:
        await until(lambda: watch.peak == len(connections))
        for connection in connections:
            await connection.close()
        await until(lambda: watch.samples[-1][1] == 0)
    assert watch.peak == len(connections)
    assert 90 < watch.limit < 100


async def test_a_watch_that_loses_its_server_says_so(postgres_dsn: str):
    other = await asyncpg.connect(postgres_dsn)
    with pytest.raises(SystemUnavailable):
        async with asyncio.timeout(10), ConnectionWatch(postgres_dsn, period_s=0.01):
            ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1"
            await other.execute(ended, APPLICATION_NAME)
    await other.close()


@pytest.mark.parametrize(
    ("failures", "throttled", "peak", "expected"),
    [
        (0, 5, 20, [True, True]),
        (1, 0, 20, [False, True]),
        (0, 100, 20, [False, True]),
        (0, 0, 97, [True, False]),
        (0, 0, 0, [True, False]),
    ],
)
def test_a_failure_or_a_full_server_fails(failures: int, throttled: int, peak: int, expected: list[bool]):
    refused = OperationLoad(name=THROTTLED, method="GET", requests=throttled, failures=0, p50_ms=1.0, p95_ms=1.0)
    run = LoadRun(requests=100, failures=failures, by_operation=(refused,), duration_s=1.0)
    loaded = Loaded(run=run, limit=97, peak=peak, connections=((0.0, peak),))
    assert [check.passed for check in judge_load("directly", loaded)] == expected
