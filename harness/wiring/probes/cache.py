"""P2.3: how often the target's cache spares the market, and how long a read of it takes, as its functions tell."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.adapters.embedded_metrics import read_metrics
from harness.domain.criterion import Criterion, CriterionEvidence
from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Request
from harness.domain.measurement import Measurement
from harness.domain.statistics import percentile_bounds, rate_bounds
from harness.wiring.probes.cache_pair import CacheCases, CachePair, cache_pair, json_request
from harness.wiring.probes.context import ProbeContext, evidence_for_all

READ_FILE = "cache_reads.jsonl"

Metrics = Mapping[str, list[float]]


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """One load of an empty cache, then all others; reads of fresh execution environments count like any."""
    async with cache_pair(context, "cache") as (pair, cases):
        await pair.empty_target()
        before = await _metrics(context, cases)
        await _work(pair, cases)
        metrics = _since(before, await _metrics(context, cases))
    reads = metrics[cases.read_time_metric]
    context.write_lines(READ_FILE, [{"read_ms": value} for value in reads])
    return evidence_for_all(criteria, measurements=_measured(metrics, cases), paths=[READ_FILE], samples=len(reads))


async def _work(pair: CachePair, cases: CacheCases) -> None:
    load = json_request(cases.load_path, cases.load_body)
    await pair.run_target([load])
    for _ in range(cases.loads):
        await pair.run_target([load])
    for _ in range(cases.reads):
        await pair.run_target([Request(method="GET", url=cases.read_url)])


def _measured(metrics: Metrics, cases: CacheCases) -> tuple[Measurement, Measurement]:
    """The hit rate in % of tickers and the p95 of reads in ms.

    Raises:
        SystemUnavailable: the functions told nothing, so that nothing can be concluded.
    """
    hits, misses = (round(sum(metrics[name])) for name in (cases.hits_metric, cases.misses_metric))
    reads = metrics[cases.read_time_metric]
    if not hits + misses or not reads:
        hint = "Their metrics go to their logs; see [cache] in scenarios/probes.toml for the names."
        raise SystemUnavailable("no function told of its cache", where="the functions' logs", hint=hint)
    missed, read = rate_bounds(misses, hits + misses), percentile_bounds(reads, 0.95)
    rate = Measurement(
        name="cache.hit_rate",
        subject="target",
        value=100 * (1 - missed.value),
        unit="%",
        samples=missed.samples,
        lower=None if missed.upper is None else 100 * (1 - missed.upper),
        upper=None if missed.lower is None else 100 * (1 - missed.lower),
        note="of the tickers of loads, the first of an empty cache",
    )
    time = Measurement(
        name="cache.read.p95",
        subject="target",
        value=read.value,
        unit="ms",
        samples=read.samples,
        lower=read.lower,
        upper=read.upper,
        note="as the functions timed it",
    )
    return rate, time


async def _metrics(context: ProbeContext, cases: CacheCases) -> Metrics:
    pair = context.pair
    directories = [pair.runtime_directory / "functions" / each.key / "logs" for each in pair.definition.functions]
    return await asyncio.to_thread(_read, directories, cases)


def _read(directories: Sequence[Path], cases: CacheCases) -> Metrics:
    return read_metrics(directories, (cases.hits_metric, cases.misses_metric, cases.read_time_metric))


def _since(before: Metrics, after: Metrics) -> Metrics:
    """What came since; sorted by file, values are not in the order of time, so those of before are taken out."""
    return {name: _without(values, before[name]) for name, values in after.items()}


def _without(values: list[float], taken: list[float]) -> list[float]:
    left = list(values)
    for value in taken:
        left.remove(value)
    return left
