"""One measurement alone, on a pair that is started for it or on addresses that are given."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from harness.adapters.evidence_store import write_atomically
from harness.adapters.http import HttpSide
from harness.adapters.locust import LoadRun
from harness.domain.criterion import Check
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Request, Side
from harness.domain.measurement import Measurement
from harness.engine.latency import LatencyPlan
from harness.settings import FILE_NAME, Settings, environments_at
from harness.staging.definition import load_definition
from harness.wiring.ingest import INGEST_FILE, ingest_measurements, load_plan, run_ingest
from harness.wiring.measure import (
    COLD_START_FILE,
    LATENCY_FILE,
    cold_start_measurements,
    latency_measurements,
    load_profile,
    run_load,
    sample_cold_starts,
    sample_latency,
)
from harness.wiring.pair import PairOptions, running_pair
from harness.wiring.paths import artifacts_directory, require_own_systems, terraform_directory
from harness.wiring.probes.function_calls import reading_request

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that are this machine."""

_PROGRESS_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRequest:
    """What to measure: `urls` are the legacy's and the target's, None to start both here."""

    settings: Settings
    urls: tuple[str, str] | None = None
    allow_load: bool = False
    out: Path | None = None
    tell: Callable[[str], None] = field(default=lambda _: None)


async def bench_latency(request: BenchRequest, plan: LatencyPlan) -> tuple[Measurement, ...]:
    """Latency of both sides and the control.

    Raises:
        ConfigurationError: an address off this machine that no environment allows load on.
        SystemUnavailable: a side does not answer.
    """
    async with _addresses(request) as (legacy_url, target_url):
        request.tell(f"about {plan.duration_s:.0f} s of requests")
        samples = await sample_latency(
            legacy_url, target_url, plan, load_profile(), lambda done: request.tell(f"round {done} of {plan.rounds}")
        )
    _keep(request, LATENCY_FILE, [asdict(sample) for sample in samples])
    return latency_measurements(samples)


async def bench_cold_start(request: BenchRequest, function: str, count: int) -> tuple[Measurement, ...]:
    """Cold starts of one function of the local cloud.

    Raises:
        ConfigurationError: Terraform declares no such function, or nobody says how it is read.
        SystemUnavailable: a fresh environment does not answer.
    """
    read = await asyncio.to_thread(_reading_request, function)

    def tell(number: int) -> None:
        if number % _PROGRESS_EVERY == 0:
            request.tell(f"{number} of {count} cold starts of {function}")

    async with running_pair(PairOptions(settings=request.settings, on_progress=request.tell)) as pair:
        request.tell(f"{count} cold starts of {function}")
        samples = await sample_cold_starts(
            pair.cloud.pool(function), pair.cloud.gateway_url, read, count=count, on_sample=tell
        )
    _keep(request, COLD_START_FILE, [asdict(sample) for sample in samples])
    return cold_start_measurements(samples, function)


def _reading_request(function: str) -> Request:
    require_own_systems()
    known = [each.key for each in load_definition(terraform_directory()).functions]
    if function not in known:
        raise ConfigurationError(f"there is no function {function}", hint=f"Known: {', '.join(known)}.")
    return reading_request(function)


async def bench_ingest(request: BenchRequest, synthetic: int | None) -> tuple[Sequence[Check], tuple[Measurement, ...]]:
    """The daily load of this migration, right first, then how long it takes; `synthetic` instead of the plan's tickers.

    Raises:
        ConfigurationError: the load is not described.
        SystemUnavailable: a part does not answer.
    """
    plan = load_plan(synthetic)
    async with running_pair(PairOptions(settings=request.settings, on_progress=request.tell)) as pair:
        findings = await run_ingest(pair, plan, pair.runtime_directory, request.tell)
    _keep(request, INGEST_FILE, [asdict(findings)])
    return findings.checks, ingest_measurements(findings, plan.function)


async def load_target(request: BenchRequest, *, users: int, run_time_s: int) -> LoadRun:
    """Locust load on the target.

    Raises:
        ConfigurationError: an address off this machine that no environment allows load on.
        SystemUnavailable: Locust did not end.
    """
    logs = request.out or artifacts_directory() / ".cache" / "load"
    async with _addresses(request) as (_, target_url):
        request.tell(f"{users} users on {target_url} for {run_time_s} s")
        return await run_load(target_url, users=users, run_time_s=run_time_s, log_directory=logs)


@asynccontextmanager
async def _addresses(request: BenchRequest) -> AsyncIterator[tuple[str, str]]:
    if request.urls is not None:
        for url in request.urls:
            require_load_allowed(url, request.settings, allow_load=request.allow_load)
        await _require_reachable(request.urls)
        yield request.urls
        return
    async with running_pair(PairOptions(settings=request.settings, on_progress=request.tell)) as pair:
        yield pair.legacy.url, pair.cloud.gateway_url


async def _require_reachable(urls: tuple[str, str]) -> None:
    for side, url in zip(Side, urls, strict=True):
        client = HttpSide(side, url)
        try:
            await client.require_reachable()
        finally:
            await client.close()


def require_load_allowed(url: str, settings: Settings, *, allow_load: bool) -> None:
    """Load goes to this machine, or to an environment whose owner has said so in the configuration.

    Raises:
        ConfigurationError: it is neither, or no address.
    """
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ConfigurationError("this is no HTTP address", where=url, hint="Give it as http://host:port.")
    if address.hostname in LOOPBACK:
        return
    if not (allow_load and any(environment.allow_load for environment in environments_at(url, settings))):
        hint = f"Give it an [environments.NAME] with allow_load = true in {FILE_NAME}, and --allow-load here."
        raise ConfigurationError("load goes to this machine only", where=url, hint=hint)


def _keep(request: BenchRequest, name: str, rows: Sequence[object]) -> None:
    if request.out is not None:
        request.out.mkdir(parents=True, exist_ok=True)
        lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        write_atomically(request.out / name, lines)
