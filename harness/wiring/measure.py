"""Latency, cold starts and load of a running pair, as measurements with their raw samples."""

import math
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.adapters.http import HttpOptions, HttpSide
from harness.adapters.locust import LoadPlan, LoadRun, run_locust
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request, Side
from harness.domain.load_profile import LoadProfile, parse_load_profile
from harness.domain.measurement import Measurement
from harness.domain.summary import summarise_percentile, summarise_ratio
from harness.engine.cold_start import ColdStartSample, InitReport, measure_cold_starts
from harness.engine.latency import CONTROL, LatencyPlan, LatencySample, measure_latency
from harness.staging.pool import FunctionPool
from harness.wiring.paths import scenarios_directory

LATENCY_FILE = "latency_samples.jsonl"
COLD_START_FILE = "cold_start_samples.jsonl"
LOAD_FILE = "load.json"
_ARMS = (Side.LEGACY.value, Side.TARGET.value, CONTROL)


def load_profile(path: Path | None = None) -> LoadProfile:
    """The profile of this migration, or the one of `path`.

    Raises:
        ConfigurationError: it cannot be read or is wrong.
    """
    found = path or scenarios_directory() / "load" / "profile.toml"
    try:
        raw = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        hint = "Write there which requests make up this migration's load, and how often each."
        raise ConfigurationError(f"the load profile cannot be read: {error}", where=str(found), hint=hint) from error
    return parse_load_profile(raw, where=str(found))


async def sample_latency(
    legacy_url: str,
    target_url: str,
    plan: LatencyPlan,
    profile: LoadProfile,
    on_round: Callable[[int], None] = lambda _: None,
) -> tuple[LatencySample, ...]:
    """Open-loop samples of both sides and of the control."""
    clients = {
        side: HttpSide(side, url, options=HttpOptions(timeout_s=plan.timeout_s, reuse_connections=True))
        for side, url in ((Side.LEGACY, legacy_url), (Side.TARGET, target_url))
    }
    try:
        return await measure_latency(clients, profile, plan, on_round)
    finally:
        for client in clients.values():
            await client.close()


def latency_measurements(samples: Sequence[LatencySample]) -> tuple[Measurement, ...]:
    """p50 and p99 of each arm, and the medians' ratios of target and control over the legacy."""
    by_arm = {arm: [sample for sample in samples if sample.arm == arm] for arm in _ARMS}
    percentiles = [
        summarise_percentile(
            [sample.latency_ms for sample in found], quantile, name=name, subject=arm, source=LATENCY_FILE
        )
        for arm, found in by_arm.items()
        if found
        for name, quantile in (("latency.p50", 0.50), ("latency.p99", 0.99))
    ]
    before = _rounds(by_arm[Side.LEGACY.value])
    ratios = [
        summarise_ratio(before, _rounds(by_arm[arm]), name="latency.ratio", subject=arm, source=LATENCY_FILE)
        for arm in (Side.TARGET.value, CONTROL)
    ]
    return (*percentiles, *(ratio for ratio in ratios if ratio is not None))


async def sample_cold_starts(
    pool: FunctionPool,
    gateway_url: str,
    request: Request,
    *,
    count: int,
    on_sample: Callable[[int], None] = lambda _: None,
) -> tuple[ColdStartSample, ...]:
    """First responses of fresh environments to a reading request."""
    client = HttpSide(Side.TARGET, gateway_url)
    try:
        return await measure_cold_starts(PoolEnvironments(pool), client, request, count=count, on_sample=on_sample)
    finally:
        await client.close()


def cold_start_measurements(samples: Sequence[ColdStartSample], subject: str) -> tuple[Measurement, ...]:
    """What the client waited (p50, p95), and the part of it that was INIT."""
    waited = [sample.client_ms for sample in samples]
    figures = (
        ("cold_start.p50", 0.50, waited),
        ("cold_start.p95", 0.95, waited),
        ("cold_start.init.p50", 0.50, [sample.init_ms for sample in samples]),
        ("cold_start.first_invoke.p50", 0.50, [sample.duration_ms for sample in samples]),
    )
    return tuple(
        summarise_percentile(values, quantile, name=name, subject=subject, source=COLD_START_FILE)
        for name, quantile, values in figures
    )


async def run_load(
    host: str, *, users: int, run_time_s: int, log_directory: Path, spawn_rate: float | None = None
) -> LoadRun:
    """Locust with this migration's users against a loopback address.

    `spawn_rate` is how many users arrive a second; None lets all of them arrive in the first.
    """
    plan = LoadPlan(
        locustfile=scenarios_directory() / "load" / "locustfile.py",
        host=host,
        users=users,
        spawn_rate=spawn_rate or float(users),
        run_time_s=run_time_s,
        log_directory=log_directory,
    )
    return await run_locust(plan)


class PoolEnvironments:
    """A function's pool as the cold-start engine needs it."""

    def __init__(self, pool: FunctionPool) -> None:
        self._pool = pool

    async def recycle(self) -> None:
        """Ends every idle environment."""
        await self._pool.recycle()

    def last_init_report(self) -> InitReport | None:
        """The latest report, if it included an INIT."""
        report = self._pool.reports[-1] if self._pool.reports else None
        if report is None or report.init_ms is None:
            return None
        return InitReport(
            init_ms=report.init_ms,
            duration_ms=report.duration_ms,
            billed_ms=report.billed_ms,
            max_memory_mb=report.max_memory_mb,
        )


def _rounds(samples: Sequence[LatencySample]) -> list[list[float]]:
    count = 1 + max((sample.round for sample in samples), default=-1)
    rounds: list[list[float]] = [[] for _ in range(count)]
    for sample in samples:
        if math.isfinite(sample.latency_ms):
            rounds[sample.round].append(sample.latency_ms)
    return rounds
