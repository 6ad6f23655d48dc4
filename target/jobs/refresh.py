"""Refreshes of the price cache as jobs."""

from datetime import date

from target.jobs.context import WorkerContext
from target.jobs.job import Job
from target.jobs.requests import RefreshRequest

_START = date(2005, 1, 1)
"""Where the legacy's cache begins. Source: contract section 5."""


async def run_refresh(job: Job, context: WorkerContext) -> None:
    """Bring the cached prices of the request's tickers up to today.

    Raises:
        DependencyUnavailable: the cache or the market does not answer now.
    """
    request = RefreshRequest(**job.payload)
    await context.prices.load_closes(list(request.tickers), _START, context.now().date())
