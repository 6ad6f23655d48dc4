"""What a strategy's latest run came to: what was stored, or why it failed."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from target.database.jobs import Backtest
from target.jobs.job import JobKind, JobState
from target.repositories.jobs import JobRepository
from target.repositories.results import BacktestRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """Why the latest run came to nothing; it hides what an earlier one came to, as in the legacy."""

    error: str


LatestRun = Backtest | FailedRun


async def find_latest_run(session: AsyncSession, strategy_name: str) -> LatestRun | None:
    """Return what the strategy's run that ended last came to; None if none has ended."""
    for job in await JobRepository(session).list_latest_ended(JobKind.BACKTEST, strategy_name):
        if job.state == JobState.FAILED:
            return FailedRun(error=job.error or "")
    return await BacktestRepository(session).find_latest(strategy_name)


async def list_comparable(session: AsyncSession) -> Mapping[str, Backtest]:
    """Return by name the strategies whose run that ended last was completed, with what it came to."""
    ended = await JobRepository(session).list_latest_ended(JobKind.BACKTEST)
    failed = {job.subject for job in ended if job.state == JobState.FAILED}
    latest = await BacktestRepository(session).list_latest()
    return {backtest.strategy_name: backtest for backtest in latest if backtest.strategy_name not in failed}
