"""Running one job: claimed, run, and its outcome recorded exactly once, however often it is delivered."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from target.database.models import Base
from target.errors import DependencyUnavailable, MarketUnavailable
from target.jobs.backtest import run_backtest
from target.jobs.context import WorkerContext
from target.jobs.job import Job, JobKind
from target.jobs.refresh import run_refresh
from target.jobs.scan import run_scan
from target.observability.metrics import MetricUnit, record_metric
from target.quant.returns import NoPrices
from target.repositories.jobs import JobRepository

Runner = Callable[[Job, WorkerContext], Awaitable[Base | None]]

_log = logging.getLogger(__name__)

_RUNNERS: Mapping[JobKind, Runner] = MappingProxyType(
    {JobKind.BACKTEST: run_backtest, JobKind.SCAN: run_scan, JobKind.REFRESH: run_refresh}
)
_UNFORESEEN = "An unexpected error occurred"


async def run_job(job_id: str, context: WorkerContext) -> None:
    """Run the job of this id; one that is completed or unknown is left alone.

    What cannot succeed is recorded as failed. Raising leaves the message in its queue, so that it comes again.

    Raises:
        DependencyUnavailable: something does not answer now; that, too, is recorded as a failure until the next try.
    """
    async with context.database.session() as session:
        job = await JobRepository(session).claim(job_id, context.now())
    if job is None:
        _log.info("Job %s is completed or unknown", job_id)
        return
    with _timed(job):
        await _run(job, context)


async def _run(job: Job, context: WorkerContext) -> None:
    try:
        outcome = await _RUNNERS[job.kind](job, context)
        await _record_outcome(job, outcome, context)
    except DependencyUnavailable as error:
        await _record_failure(job, _text_of(error), context)
        raise
    except ValueError as error:  # what the calculation refuses
        await _record_failure(job, _refusal(error), context)
    except Exception:  # noqa: BLE001 - the edge of this process; another delivery would fail alike
        _log.exception("Job %s of kind %s failed", job.id, job.kind)
        await _record_failure(job, _UNFORESEEN, context)


@contextmanager
def _timed(job: Job) -> Iterator[None]:
    started_at = time.perf_counter()
    try:
        yield
    finally:
        duration_ms = (time.perf_counter() - started_at) * 1000
        record_metric("JobDuration", MetricUnit.Milliseconds, duration_ms, kind=job.kind)


def _refusal(error: ValueError) -> str:
    """Return what the contract says of a run that cannot succeed."""
    return f"Invalid parameter: {error}"


def _text_of(error: DependencyUnavailable) -> str:
    """Return what clients read until the next try; of a market that is away, what the legacy said of it for good."""
    return _refusal(NoPrices()) if isinstance(error, MarketUnavailable) else str(error.detail)


async def _record_outcome(job: Job, outcome: Base | None, context: WorkerContext) -> None:
    async with context.database.session() as session:
        is_first = await JobRepository(session).record_completion(job.id, context.now())
        if is_first and outcome is not None:
            session.add(outcome)
    _log.info("Job %s of kind %s completed", job.id, job.kind)
    record_metric("JobsCompleted", MetricUnit.Count, 1, kind=job.kind)


async def _record_failure(job: Job, text: str, context: WorkerContext) -> None:
    _log.warning("Job %s of kind %s failed: %s", job.id, job.kind, text)
    record_metric("JobsFailed", MetricUnit.Count, 1, kind=job.kind)
    async with context.database.session() as session:
        await JobRepository(session).record_failure(job.id, text.replace("\x00", ""), context.now())
