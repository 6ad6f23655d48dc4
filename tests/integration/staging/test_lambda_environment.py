"""One execution environment, run from a built artifact by AWS's own runtime client."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.staging.build import BuiltArtifacts
from harness.staging.pool import FunctionPool, InvocationAnswer, InvocationOutcome, PoolLimits
from harness.staging.report_lines import InvocationStatus
from tests.builders.lambda_cloud import function

MakePool = Callable[..., FunctionPool]


def _payload(answer: InvocationAnswer) -> Any:
    return json.loads(answer.payload)


async def test_the_first_invocation_is_cold_and_the_next_reuses_its_environment(make_pool: MakePool) -> None:
    pool = make_pool()

    first, second = [await pool.invoke({"do": "who"}) for _ in range(2)]

    assert _payload(first)["served"] == 1
    assert _payload(second) == {"pid": _payload(first)["pid"], "served": 2}
    cold, warm = pool.reports
    assert cold.is_cold
    assert cold.init_ms is not None
    assert cold.billed_ms >= cold.init_ms + cold.duration_ms
    assert not warm.is_cold
    assert cold.environment_id == warm.environment_id
    assert 0 < warm.max_memory_mb <= warm.memory_mb


async def test_recycling_makes_the_next_invocation_cold(make_pool: MakePool) -> None:
    pool = make_pool()
    first = _payload(await pool.invoke({"do": "who"}))

    await pool.recycle()
    assert not psutil.pid_exists(first["pid"])
    second = _payload(await pool.invoke({"do": "who"}))

    assert second["pid"] != first["pid"]
    assert [report.is_cold for report in pool.reports] == [True, True]


async def test_the_process_sees_lambdas_world_and_nothing_of_ours(
    make_pool: MakePool, artifacts: BuiltArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_JUDGE", "1")
    own = function(environment={"LOG_LEVEL": "INFO", "AWS_REGION": "overridden", "AWS_LAMBDA_FUNCTION_NAME": "no"})

    world = _payload(await make_pool(of=own, variables={"EXTRA": "yes"}).invoke({"do": "world"}))

    variables = world["variables"]
    assert variables["LOG_LEVEL"] == "INFO"
    assert variables["EXTRA"] == "yes"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "product-probe"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
    assert variables["TZ"] == ":UTC"
    assert "SECRET_OF_THE_JUDGE" not in variables
    assert "VIRTUAL_ENV" not in variables
    root = artifacts.functions["probe"].root
    assert world["cwd"] == variables["LAMBDA_TASK_ROOT"] == str(root)
    order = [str(root), str(artifacts.layers["dependencies"].root / "python"), str(artifacts.runtime_directory)]
    assert [entry for entry in dict.fromkeys(world["path"]) if entry in order] == order
    assert not [entry for entry in world["path"] if entry.endswith("site-packages")]
    assert world["arn"] == "arn:aws:lambda:eu-central-1:123456789012:function:product-probe"
    assert 9_000 < world["remaining_ms"] <= 10_000


async def test_only_the_artifacts_can_be_imported(make_pool: MakePool) -> None:
    pool = make_pool()

    assert _payload(await pool.invoke({"do": "import:typing_extensions"})) == {"error": None}
    assert "No module named" in _payload(await pool.invoke({"do": "import:orjson"}))["error"]
    assert "No module named" in _payload(await pool.invoke({"do": "import:harness"}))["error"]


async def test_shipped_bytecode_is_used(make_pool: MakePool, artifacts: BuiltArtifacts) -> None:
    world = _payload(await make_pool().invoke({"do": "world"}))

    cached = Path(world["cached"])
    assert cached.name == f"handler.{sys.implementation.cache_tag}.pyc"
    content = await asyncio.to_thread(cached.read_bytes)
    assert int.from_bytes(content[4:8], "little") == 0b01  # by hash, unchecked
    assert cached.is_relative_to(artifacts.functions["probe"].root)


async def test_an_error_of_the_function_is_its_answer_and_the_environment_lives_on(make_pool: MakePool) -> None:
    pool = make_pool()

    failed = await pool.invoke({"do": "raise:oh no"})
    after = await pool.invoke({"do": "who"})

    assert failed.outcome is InvocationOutcome.FUNCTION_ERROR
    assert _payload(failed)["errorType"] == "ValueError"
    assert _payload(failed)["errorMessage"] == "oh no"
    assert pool.reports[0].status is InvocationStatus.ERROR
    assert _payload(after)["served"] == 2


async def test_an_answer_that_is_not_json_is_a_marshalling_error(make_pool: MakePool) -> None:
    failed = await make_pool().invoke({"do": "set"})

    assert failed.outcome is InvocationOutcome.FUNCTION_ERROR
    assert _payload(failed)["errorType"] == "Runtime.MarshalError"


async def test_a_crash_is_reported_and_the_next_invocation_gets_a_fresh_environment(make_pool: MakePool) -> None:
    pool = make_pool()

    crashed = await pool.invoke({"do": "crash:3"})
    after = await pool.invoke({"do": "who"})

    assert crashed.outcome is InvocationOutcome.FUNCTION_ERROR
    assert _payload(crashed)["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in _payload(crashed)["errorMessage"]
    assert _payload(after)["served"] == 1
    assert [report.is_cold for report in pool.reports] == [True, True]


async def test_an_environment_that_dies_idle_costs_nobody_an_answer(make_pool: MakePool) -> None:
    pool = make_pool()
    first = _payload(await pool.invoke({"do": "who"}))
    process = psutil.Process(first["pid"])
    process.kill()
    for _ in range(500):
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.01)  # noqa: ASYNC251 - the event loop must not notice before the next invocation does

    second = await pool.invoke({"do": "who"})

    assert second.outcome is InvocationOutcome.ANSWERED
    assert _payload(second)["pid"] != first["pid"]


async def test_a_timeout_kills_the_environment(make_pool: MakePool) -> None:
    pool = make_pool(of=function(timeout_s=1))
    first = _payload(await pool.invoke({"do": "who"}))

    late = await pool.invoke({"do": "sleep:30"})

    assert late.outcome is InvocationOutcome.FUNCTION_ERROR
    assert _payload(late)["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in _payload(late)["errorMessage"]
    assert late.report is not None
    assert late.report.status is InvocationStatus.TIMEOUT
    assert 1000 <= late.report.duration_ms < 5000
    assert not psutil.pid_exists(first["pid"])


async def test_too_much_memory_ends_the_environment_while_it_holds_it(make_pool: MakePool) -> None:
    pool = make_pool()

    held = await pool.invoke({"do": "hog:400", "hold_s": 8})

    assert held.outcome is InvocationOutcome.FUNCTION_ERROR
    assert _payload(held)["errorType"] == "Runtime.OutOfMemory"
    assert held.report is not None
    assert held.report.duration_ms < 7000
    assert held.report.max_memory_mb == 256


async def test_a_spike_over_the_ceiling_is_found_afterwards(make_pool: MakePool) -> None:
    spike = await make_pool().invoke({"do": "hog:300"})

    assert _payload(spike)["errorType"] == "Runtime.OutOfMemory"


async def test_an_answer_over_six_megabytes_is_refused_by_the_runtime_api(make_pool: MakePool) -> None:
    pool = make_pool()

    assert len(_payload(await pool.invoke({"do": "big:6000000"}))) == 6_000_000
    refused = await pool.invoke({"do": "big:6400000"})
    after = await pool.invoke({"do": "who"})

    assert _payload(refused)["errorType"] == "Function.ResponseSizeTooLarge"
    assert after.outcome is InvocationOutcome.ANSWERED


async def test_an_event_over_six_megabytes_never_reaches_the_function(make_pool: MakePool) -> None:
    pool = make_pool()

    refused = await pool.invoke({"do": "who", "filler": "x" * 6_400_000})

    assert refused.outcome is InvocationOutcome.TOO_LARGE
    assert not pool.reports
    assert (await pool.invoke({"do": "who", "filler": "x" * 6_000_000})).outcome is InvocationOutcome.ANSWERED


async def test_a_handler_that_does_not_import_is_named(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(of=function("broken"))

    failed = await pool.invoke({})

    assert failed.outcome is InvocationOutcome.FUNCTION_ERROR
    assert _payload(failed)["errorType"] == "Runtime.ImportModuleError"
    assert "not_a_module_that_exists" in _payload(failed)["errorMessage"]
    assert pool.environments_started == 2  # Lambda runs a failed INIT once more
    assert pool.pids == ()
    logs = [log.read_text(encoding="utf-8") for log in (tmp_path / "logs").iterdir()]
    assert all("Runtime.ImportModuleError" in log for log in logs)


async def test_a_process_that_dies_in_init_is_an_exit_error(make_pool: MakePool) -> None:
    failed = await make_pool(of=function("dying")).invoke({})

    assert _payload(failed)["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in _payload(failed)["errorMessage"]


async def test_an_init_over_its_limit_is_run_again_within_the_functions_timeout(make_pool: MakePool) -> None:
    limits = PoolLimits(init_timeout_s=0.5)
    pool = make_pool(of=function("slow", timeout_s=10), limits=limits, variables={"INIT_S": "1"})

    answered = await pool.invoke({})

    assert answered.outcome is InvocationOutcome.ANSWERED
    assert pool.environments_started == 2
    assert pool.reports[0].init_ms is not None
    assert pool.reports[0].init_ms > 1000


async def test_an_init_that_never_ends_is_a_timeout(make_pool: MakePool) -> None:
    limits = PoolLimits(init_timeout_s=0.3)
    pool = make_pool(of=function("slow", timeout_s=1), limits=limits, variables={"INIT_S": "60"})

    failed = await pool.invoke({})

    assert _payload(failed)["errorType"] == "Sandbox.Timedout"
    assert pool.pids == ()


async def test_the_log_has_the_functions_lines_and_lambdas(make_pool: MakePool, tmp_path: Path) -> None:
    await make_pool().invoke({"do": "crash:1"})

    (log,) = (tmp_path / "logs").iterdir()
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("START RequestId: ")
    assert "about to crash" in lines
    assert lines[-2].startswith("END RequestId: ")
    assert lines[-1].startswith("REPORT RequestId: ")
    assert "Status: error\tError Type: Runtime.ExitError" in lines[-1]


async def test_an_invocation_that_is_given_up_takes_its_environment_with_it(make_pool: MakePool) -> None:
    pool = make_pool()
    first = _payload(await pool.invoke({"do": "who"}))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await pool.invoke({"do": "sleep:20"})

    assert not psutil.pid_exists(first["pid"])
    assert (await pool.invoke({"do": "who"})).outcome is InvocationOutcome.ANSWERED


async def test_between_invocations_the_environment_is_frozen(make_pool: MakePool) -> None:
    pool = make_pool()
    await pool.invoke({"do": "background"})
    (pid,) = pool.pids
    await _until_stopped(pid)
    asked_after_s = 1.0
    await asyncio.sleep(asked_after_s)

    gap_s = _payload(await pool.invoke({"do": "gap"}))

    assert gap_s >= asked_after_s


async def _until_stopped(pid: int) -> None:
    for _ in range(500):
        if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the environment was not frozen")
