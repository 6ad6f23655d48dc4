"""Background work in the test's own process, on a market whose prices are known."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from target.database.engine import Database
from target.jobs.context import WorkerContext
from target.jobs.in_process import InProcessSender
from target.jobs.queue import JobQueue
from target.jobs.run import run_job
from target.storage.directory import DirectoryObjects
from target.storage.prices import PriceStore
from tests.builders.fake_market import FakeMarket


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
