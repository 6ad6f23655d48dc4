"""Refreshes of the price cache as jobs."""

from target.jobs.context import WorkerContext
from target.jobs.job import Job
from target.jobs.requests import RefreshRequest


async def run_refresh(job: Job, context: WorkerContext) -> None:
    """Bring the cached prices of the request's tickers up to today.

    Raises:
        DependencyUnavailable: the cache, or what the market needs of us, cannot be had now.
    """
    request = RefreshRequest(**job.payload)
    await context.prices.refresh(request.tickers, force=request.force)
