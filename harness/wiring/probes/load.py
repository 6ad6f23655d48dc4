"""P3.3: many clients at once exhaust nothing: the application answers, and the database keeps connections to spare.

Twice, on functions of its own each time: directly, and through a transaction-mode pooler with fewer connections than
there are execution environments. A request that the gateway throttles is counted apart: that is how a limit on
concurrency protects the database.
"""

import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import msgspec

from harness.adapters.connection_watch import ConnectionWatch
from harness.adapters.locust import LoadRun
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import ConfigurationError
from harness.staging.pooler import LocalPooler, find_pooler
from harness.wiring.functions import local_cloud
from harness.wiring.measure import run_load
from harness.wiring.paths import scenarios_directory
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_DIRECT, _POOLED = "directly", "through a pooler"


class _Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much, and what tells the target of a pooler (`scenarios/probes.toml`)."""

    users: int
    ramp_s: int
    hold_s: int
    pool_size: int
    through_pooler: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What one load did, and what the database held meanwhile; `limit` is for connections of others than superusers."""

    run: LoadRun
    limit: int
    peak: int
    connections: tuple[tuple[float, int], ...]


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Both loads in turn; rows are restored after each."""
    load = _read_load()
    found = {_DIRECT: await _put_load(context, load, "direct", {})}
    checks = [*judge_load(_DIRECT, found[_DIRECT])]
    if find_pooler() is None:
        hint = "PgBouncer is not installed: apt-get install pgbouncer"
        checks.append(Check(name=f"the application answers {_POOLED}", passed=None, detail=hint))
    else:
        async with _pooler(context, load) as variables:
            found[_POOLED] = await _put_load(context, load, "pooled", variables)
        checks += judge_load(_POOLED, found[_POOLED])
    path = context.write_evidence("load_many_clients", {name: asdict(each) for name, each in found.items()})
    samples = sum(each.run.requests for each in found.values())
    return evidence_for_all(criteria, checks=checks, paths=[path], samples=samples)


async def _put_load(context: ProbeContext, load: _Load, name: str, variables: Mapping[str, str]) -> Loaded:
    pair, directory = context.pair, context.temporary_directory(f"load-{name}")
    # What idles of the running pair would count against the limit without taking part.
    for function in pair.definition.functions:
        await pair.cloud.pool(function.key).recycle()
    cloud = local_cloud(pair.definition, pair.artifacts, pair.authoriser, directory, variables)
    await cloud.start()
    try:
        async with context.restored_state(), ConnectionWatch(pair.postgres.superuser_dsn) as watch:
            run = await run_load(
                cloud.gateway_url,
                users=load.users,
                run_time_s=load.ramp_s + load.hold_s,
                spawn_rate=load.users / load.ramp_s,
                log_directory=directory,
            )
    finally:
        await cloud.stop()
    return Loaded(run=run, limit=watch.limit, peak=watch.peak, connections=tuple(watch.samples))


@asynccontextmanager
async def _pooler(context: ProbeContext, load: _Load) -> AsyncIterator[dict[str, str]]:
    """The variables that lead functions through a pooler that runs meanwhile."""
    directory = context.temporary_directory("pooler")
    pooler = LocalPooler(context.pair.target_dsn, directory, pool_size=load.pool_size)
    await pooler.start()
    try:
        yield {name: text.format(dsn=pooler.dsn) for name, text in load.through_pooler.items()}
    finally:
        await pooler.stop()


def judge_load(way: str, loaded: Loaded) -> tuple[Check, ...]:
    """Passes where something was answered and nothing failed, and where a connection was left at every look."""
    run = loaded.run
    answered = run.requests - run.failures - run.throttled
    counts = f"{answered:,} answered, {run.throttled:,} throttled, {run.failures:,} failed of {run.requests:,}"
    return (
        Check(
            name=f"the application answers {way}",
            passed=run.failures == 0 and answered > 0,
            detail="; ".join((counts, *run.errors)),
        ),
        Check(
            name=f"the database keeps connections to spare {way}",
            passed=0 < loaded.peak < loaded.limit,
            detail=f"at most {loaded.peak} of {loaded.limit} at once, in {len(loaded.connections):,} looks",
        ),
    )


def _read_load() -> _Load:
    path = scenarios_directory() / "probes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["load"], _Load)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"the load probe is not described: {error}", where=str(path)) from error
