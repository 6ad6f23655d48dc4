"""Ranges of rows compared elsewhere: what a worker is told, and what it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.adapters.dask_cluster import dask_cluster
from harness.adapters.postgres_reader import PostgresSource
from harness.adapters.sqlite_reader import SqliteSource
from harness.domain.ports import RowSource
from harness.domain.row_parity import KeyRange, RangeOutcome
from harness.domain.row_plan import TablePlan
from harness.engine.rows import RowParityOptions, compare_range

_AHEAD = 2
"""Ranges per worker that are under way, so that none waits for the next bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskSettings:
    """Where ranges are compared: at this scheduler, else by as many processes of our own."""

    scheduler: str | None = None
    workers: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeTask:
    """One range of one table; addresses stay out of every log."""

    legacy: str = field(repr=False)
    target_dsn: str = field(repr=False)
    plan: TablePlan = field(repr=False)
    keys: KeyRange
    recheck_after_s: float
    recheck_times: int


def run_range_task(task: RangeTask) -> RangeOutcome:
    """What a worker does; raises as `compare_range`."""
    options = RowParityOptions(recheck_after_s=task.recheck_after_s, recheck_times=task.recheck_times)
    legacy, target = row_source(task.legacy), PostgresSource(task.target_dsn)
    return asyncio.run(compare_range(legacy, target, task.plan, task.keys, options))


@asynccontextmanager
async def ranges_on_dask(
    legacy: str, target_dsn: str, options: RowParityOptions, dask: DaskSettings
) -> AsyncIterator[RowParityOptions]:
    """The options under which ranges are tasks; outcomes still come in the order of their keys.

    Raises:
        ConfigurationError: Dask is not installed.
        SystemUnavailable: its scheduler or its workers do not answer.
    """
    absolute = _absolute(legacy)
    async with dask_cluster(dask.scheduler, workers=dask.workers) as cluster:

        async def run(plan: TablePlan, keys: KeyRange) -> RangeOutcome:
            task = RangeTask(
                legacy=absolute,
                target_dsn=target_dsn,
                plan=plan,
                keys=keys,
                recheck_after_s=options.recheck_after_s,
                recheck_times=options.recheck_times,
            )
            return await cluster.run(run_range_task, task)

        yield replace(options, ranges_at_once=_AHEAD * dask.workers, run_range=run)


def row_source(address: str) -> RowSource:
    """A SQLite file, or a PostgreSQL address."""
    return PostgresSource(address) if "://" in address else SqliteSource(Path(address))


def _absolute(address: str) -> str:
    """Workers have a directory of their own."""
    return address if "://" in address else str(Path(address).resolve())
