"""Locust as a subprocess, judged from its JSON: it patches the process that imports it, so we never do."""

import csv
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.child import Child
from harness.domain.errors import HarnessError, SystemUnavailable

THROTTLED = "throttled"
"""What a locustfile calls answers by which the gateway refused a request that it did not pass on."""

_STOP_MARGIN_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRun:
    """What one Locust run saw; percentiles are Locust's own, coarse and from the moment of sending."""

    requests: int
    failures: int
    by_operation: tuple["OperationLoad", ...]
    duration_s: float
    errors: tuple[str, ...] = ()
    """What Locust said of the failures, a kind each."""

    @property
    def error_ratio(self) -> float:
        """Failed over sent, 0 to 1; 1 where nothing was sent."""
        return self.failures / self.requests if self.requests else 1.0

    @property
    def throttled(self) -> int:
        """How many requests the gateway refused; they count as requests and not as failures."""
        return sum(operation.requests for operation in self.by_operation if operation.name == THROTTLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationLoad:
    """One operation of a run."""

    name: str
    method: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How many users, how fast they arrive and for how long."""

    locustfile: Path
    host: str
    users: int
    spawn_rate: float
    run_time_s: int
    log_directory: Path


async def run_locust(plan: LoadPlan) -> LoadRun:
    """Runs Locust headless, bounded in time, and reads its JSON.

    Raises:
        SystemUnavailable: it did not end in time.
        HarnessError: it ended without JSON (its last lines are in the message).
    """
    json_path = plan.log_directory / "locust"
    child = Child.start(
        _command(plan, json_path), name="locust", log_path=plan.log_directory / "locust.log", env=_environment()
    )
    limit_s = plan.run_time_s + _STOP_MARGIN_S
    try:
        if await child.wait(timeout_s=limit_s) is None:
            raise SystemUnavailable(f"locust did not end within {limit_s} s", hint=child.tail(5))
    finally:
        await child.stop()
    return _read(json_path.with_suffix(".json"), child, plan)


def _command(plan: LoadPlan, json_path: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "locust", "-f", str(plan.locustfile), "--headless", "--host", plan.host),
        *(
            "--users",
            str(plan.users),
            "--spawn-rate",
            str(plan.spawn_rate),
            "--run-time",
            f"{plan.run_time_s}s",
        ),
        *(
            "--stop-timeout",
            "5",
            "--json-file",
            str(json_path),
            "--csv",
            str(json_path),
            "--only-summary",
            "--exit-code-on-error",
            "0",
        ),
    ]


def _environment() -> dict[str, str]:
    """Only what a Python program needs: credentials of ours are none of Locust's business."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def _read(path: Path, child: Child, plan: LoadPlan) -> LoadRun:
    try:
        rows: list[dict[str, Any]] = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise HarnessError(f"locust left no readable JSON: {error}", where=str(path), hint=child.tail(5)) from error
    operations = tuple(_operation(row) for row in rows)
    return LoadRun(
        requests=sum(operation.requests for operation in operations),
        failures=sum(operation.failures for operation in operations),
        by_operation=operations,
        duration_s=float(plan.run_time_s),
        errors=_read_errors(path.with_name("locust_failures.csv")),
    )


def _read_errors(path: Path) -> tuple[str, ...]:
    """A line for each kind of failure; none where there is no such file."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return tuple(f"{row['Method']} {row['Name']}: {row['Error']}, {row['Occurrences']} times" for row in rows)


def _operation(row: dict[str, Any]) -> OperationLoad:
    times = {int(float(key)): int(count) for key, count in row.get("response_times", {}).items()}
    return OperationLoad(
        name=row["name"],
        method=row["method"],
        requests=row["num_requests"],
        failures=row["num_failures"],
        p50_ms=_percentile(times, 0.50),
        p95_ms=_percentile(times, 0.95),
    )


def _percentile(times: dict[int, int], quantile: float) -> float:
    wanted = quantile * sum(times.values())
    seen = 0
    for bucket in sorted(times):
        seen += times[bucket]
        if seen >= wanted:
            return float(bucket)
    return 0.0
