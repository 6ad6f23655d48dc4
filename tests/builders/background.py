"""Background work in the test's own process, on a market whose prices are known, and jobs to give it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select

from target.database.engine import Database
from target.database.jobs import JobRow
from target.errors import QueueUnavailable
from target.jobs.context import WorkerContext
from target.jobs.in_process import InProcessSender
from target.jobs.job import Job
from target.jobs.queue import JobQueue
from target.jobs.requests import BacktestRequest, ScanRequest
from target.jobs.run import run_job
from target.storage.directory import DirectoryObjects
from target.storage.prices import PriceStore
from tests.builders.fake_market import FakeMarket

TICKERS = ("SPY", "TLT", "GLD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What runs an application's jobs; `drain` waits for them."""

    market: FakeMarket
    context: WorkerContext
    sender: InProcessSender

    async def drain(self) -> None:
        """Return once every job that was started has ended."""
        await self.sender.drain()


def background(database: Database, cache: Path) -> Background:
    """A worker on this database, with an empty cache of prices."""
    market = FakeMarket()
    context = WorkerContext(database=database, prices=PriceStore(DirectoryObjects(cache), market))
    sender = InProcessSender(lambda job_id: run_job(job_id, context))
    return Background(market=market, context=context, sender=sender)


def work_for(app: FastAPI, cache: Path) -> Background:
    """Run the application's jobs here."""
    made = background(app.state.database, cache)
    app.state.jobs = JobQueue(app.state.database, made.sender)
    return made


class Outbox:
    """A queue that remembers what it was sent, or refuses it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.refuses = False

    async def send(self, job_id: str) -> None:
        """Take one job.

        Raises:
            QueueUnavailable: it refuses.
        """
        if self.refuses:
            raise QueueUnavailable("full")
        self.sent.append(job_id)


def backtest_job(**changes: Any) -> Job:
    """A backtest of three tickers over a year, with changes."""
    values: dict[str, Any] = {
        "backtest_id": "HRP_20260105_120000",
        "strategy_name": "HRP",
        "start_date": "2024-01-01",
        "end_date": "2024-12-31",
        "initial_capital": 100000,
        "tickers": TICKERS,
        "optimization_method": "HRP",
    }
    return BacktestRequest(**(values | changes)).to_job()


def scan_job(**changes: Any) -> Job:
    """A scan of three tickers, with changes."""
    values: dict[str, Any] = {
        "scanner_type": "quallamaggie",
        "universe": "sp500",
        "min_price": 5.0,
        "max_price": 500.0,
        "min_volume": 0,
        "tickers": TICKERS,
    }
    return ScanRequest(**(values | changes)).to_job()


async def row_of(database: Database, job_id: str) -> JobRow:
    """The job's row as it is stored now."""
    async with database.session() as session:
        return (await session.scalars(select(JobRow).where(JobRow.job_id == job_id))).one()
