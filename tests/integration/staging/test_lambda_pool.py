"""Scale-out, throttling, reaping, and that nothing is left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.domain.errors import SystemUnavailable
from harness.staging.build import BuiltArtifacts
from harness.staging.pool import FunctionPool, InvocationAnswer, InvocationOutcome, PoolLimits
from tests.builders.lambda_cloud import function

MakePool = Callable[..., FunctionPool]


def _payload(answer: InvocationAnswer) -> Any:
    return json.loads(answer.payload)


async def _until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_concurrent_invocations_get_an_environment_each(make_pool: MakePool) -> None:
    pool = make_pool()

    answers = await asyncio.gather(*(pool.invoke({"do": "sleep:2"}) for _ in range(4)))

    assert len({_payload(answer)["pid"] for answer in answers}) == 4
    assert pool.environments_started == 4
    assert all(report.is_cold for report in pool.reports)


async def test_sequential_invocations_never_scale_out(make_pool: MakePool) -> None:
    pool = make_pool()

    for _ in range(50):
        await pool.invoke({"do": "who"})

    assert pool.environments_started == 1
    assert len(pool.reports) == 50


async def test_two_hundred_at_once_on_a_cold_function_are_all_answered_by_at_most_twenty(make_pool: MakePool) -> None:
    pool = make_pool(of=function(reserved_concurrency=20))

    answers = await asyncio.gather(*(pool.invoke({"do": "who"}) for _ in range(200)))

    outcomes = Counter(answer.outcome for answer in answers)
    assert outcomes == {InvocationOutcome.ANSWERED: 20, InvocationOutcome.THROTTLED: 180}
    assert len(pool.pids) <= 20
    assert pool.environments_started <= 20


async def test_a_busy_function_throttles_at_once_and_recovers(make_pool: MakePool) -> None:
    pool = make_pool(of=function(reserved_concurrency=1))
    busy = asyncio.create_task(pool.invoke({"do": "sleep:1"}))
    await _until(lambda: bool(pool.pids))

    started = time.perf_counter()
    refused = await pool.invoke({"do": "who"})

    assert refused.outcome is InvocationOutcome.THROTTLED
    assert refused.report is None
    assert time.perf_counter() - started < 0.2
    assert (await busy).outcome is InvocationOutcome.ANSWERED
    assert (await pool.invoke({"do": "who"})).outcome is InvocationOutcome.ANSWERED


async def test_no_concurrency_means_that_nothing_runs(make_pool: MakePool) -> None:
    pool = make_pool(of=function(reserved_concurrency=0))

    assert (await pool.invoke({})).outcome is InvocationOutcome.THROTTLED
    assert pool.environments_started == 0


async def test_no_more_inits_at_once_than_admitted_and_the_wait_is_not_init(make_pool: MakePool) -> None:
    pool = make_pool(of=function("slow"), variables={"INIT_S": "0.5"}, inits=asyncio.Semaphore(1))

    started = time.perf_counter()
    await asyncio.gather(*(pool.invoke({}) for _ in range(3)))
    elapsed_s = time.perf_counter() - started

    inits = [report.init_ms for report in pool.reports if report.init_ms is not None]
    assert inits
    assert all(init_ms >= 500 for init_ms in inits)
    assert max(inits) < 1000 * elapsed_s
    await _until(lambda: pool.environments_started == 3)


async def test_idle_environments_are_reaped(make_pool: MakePool) -> None:
    pool = make_pool(limits=PoolLimits(idle_timeout_s=0.2))
    first = _payload(await pool.invoke({"do": "who"}))

    await _until(lambda: not pool.pids)

    assert not psutil.pid_exists(first["pid"])
    assert _payload(await pool.invoke({"do": "who"}))["served"] == 1


async def test_stopping_ends_busy_and_idle_environments(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    await asyncio.gather(*(pool.invoke({"do": "sleep:0.3"}) for _ in range(2)))
    mark = tmp_path / "mark"
    busy = asyncio.create_task(pool.invoke({"do": f"mark:{mark}"}))
    await _until(mark.exists)
    pids = pool.pids

    await pool.stop()
    answered = await asyncio.wait_for(busy, timeout=10)

    assert answered.outcome is InvocationOutcome.FUNCTION_ERROR
    assert pool.pids == ()
    assert len(pids) == 2
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    with pytest.raises(SystemUnavailable):
        await pool.invoke({"do": "who"})


async def test_who_waits_for_an_environment_at_the_end_is_told(make_pool: MakePool) -> None:
    pool = make_pool(of=function("slow"), variables={"INIT_S": "30"})
    waiting = asyncio.create_task(pool.invoke({}))
    await _until(lambda: bool(pool.pids))

    await pool.stop()

    with pytest.raises(SystemUnavailable):
        await waiting
    assert pool.pids == ()


_ROOT = Path(__file__).resolve().parents[3]
_OWNER = """
import asyncio, sys
from pathlib import Path
from tests.builders import lambda_cloud
from harness.domain.errors import SystemUnavailable
from harness.staging.build import BuildInputs, build_artifacts

async def main():
    directory = Path(sys.argv[1])
    artifacts = build_artifacts(
        BuildInputs(package=directory / "product", lock=directory / "lock.txt", cache=directory / "cache")
    )
    pool = lambda_cloud.pool(artifacts, Path(sys.argv[2]))
    await asyncio.gather(*(pool.invoke({"do": "sleep:0.5"}) for _ in range(2)))
    print(*pool.pids, flush=True)
    await pool.invoke({"do": "sleep:9"})

asyncio.run(main())
"""


async def test_environments_die_with_an_owner_that_is_killed(artifacts: BuiltArtifacts, tmp_path: Path) -> None:
    product = artifacts.functions["probe"].zip_path.parents[2]
    owner = subprocess.Popen(  # noqa: ASYNC220 - it is started once and read in a thread
        [sys.executable, "-c", _OWNER, str(product), str(tmp_path)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert owner.stdout is not None
        line = await asyncio.wait_for(asyncio.to_thread(owner.stdout.readline), timeout=30)
        pids = [int(pid) for pid in line.split()]
        assert len(pids) == 2
        assert all(psutil.pid_exists(pid) for pid in pids)
    finally:
        os.kill(owner.pid, signal.SIGKILL)
        owner.communicate()

    await _until(lambda: not any(_is_running(pid) for pid in pids))


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
