"""No job is lost, none has two outcomes, and each one's standing can be read, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from target_support import settings_for

from target.clock import utc_now
from target.database.engine import Database
from target.database.jobs import Backtest, JobRow, Scan
from target.errors import DatabaseUnavailable, QueueUnavailable
from target.jobs.batch import run_batch
from target.jobs.job import Job, JobState
from target.jobs.queue import JobQueue
from target.jobs.requests import BacktestRequest, RefreshRequest, ScanRequest
from target.jobs.run import run_job
from target.market_data.bars import FailureClass
from target.observability.correlation import correlation_id
from target.repositories.jobs import JobRepository
from target.secrets import SecretStore
from tests.builders.background import Background, background

TICKERS = ("SPY", "TLT", "GLD")


class Outbox:
    """A queue that remembers what it was sent, or refuses it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.refuses = False

    async def send(self, job_id: str) -> None:
        if self.refuses:
            raise QueueUnavailable("full")
        self.sent.append(job_id)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    settings = settings_for(database_url)
    opened = Database(settings, SecretStore(settings))
    yield opened
    await opened.dispose()


@pytest.fixture
def work(database: Database, tmp_path: Path) -> Background:
    return background(database, tmp_path / "cache")


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def queue(database: Database, outbox: Outbox) -> JobQueue:
    return JobQueue(database, outbox)


def backtest(**changes: Any) -> Job:
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


def scan(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "scanner_type": "quallamaggie",
        "universe": "sp500",
        "min_price": 5.0,
        "max_price": 500.0,
        "min_volume": 0,
        "tickers": TICKERS,
    }
    return ScanRequest(**(values | changes)).to_job()


def message(job_id: str, number: int = 1) -> dict[str, Any]:
    return {"messageId": f"m{number}", "body": f'{{"job_id": "{job_id}"}}'}


async def row_of(database: Database, job_id: str) -> JobRow:
    async with database.session() as session:
        return (await session.scalars(select(JobRow).where(JobRow.job_id == job_id))).one()


async def count(database: Database, table: type[Backtest | Scan]) -> int:
    async with database.session() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_submitted_job_is_committed_before_it_is_sent(database: Database):
    seen: list[str] = []

    class Looking:
        async def send(self, job_id: str) -> None:
            seen.append((await row_of(database, job_id)).state)

    job = backtest()
    await JobQueue(database, Looking()).submit(job)
    assert seen == [JobState.QUEUED]
    row = await row_of(database, job.id)
    assert (row.kind, row.subject, row.payload["tickers"]) == ("backtest", "HRP", list(TICKERS))
    assert row.sent_at is not None


async def test_a_job_that_the_queue_refuses_is_on_record_as_failed(database: Database, queue: JobQueue, outbox: Outbox):
    outbox.refuses = True
    job = backtest()
    with pytest.raises(QueueUnavailable):
        await queue.submit(job)
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, "The job could not be queued, please retry")


async def test_a_job_whose_sender_ended_is_sent_with_the_next_one(database: Database, queue: JobQueue, outbox: Outbox):
    forgotten, fresh = backtest(), backtest()
    async with database.session() as session:
        await JobRepository(session).add(forgotten, utc_now() - timedelta(minutes=1))
        await JobRepository(session).add(fresh, utc_now())  # another process is about to send it
    job = scan()
    await queue.submit(job)
    assert outbox.sent == [job.id, forgotten.id]
    await queue.submit(scan())
    assert outbox.sent.count(forgotten.id) == 1


async def test_a_queue_that_refuses_what_was_forgotten_has_still_accepted_the_new_job(database: Database):
    class Narrow(Outbox):
        async def send(self, job_id: str) -> None:
            self.refuses = bool(self.sent)
            await super().send(job_id)

    forgotten = backtest()
    async with database.session() as session:
        await JobRepository(session).add(forgotten, utc_now() - timedelta(minutes=1))
    await JobQueue(database, Narrow()).submit(scan())
    assert (await row_of(database, forgotten.id)).state == JobState.FAILED


async def test_a_database_that_is_away_accepts_no_job(tmp_path: Path, outbox: Outbox):
    settings = settings_for("postgresql://nobody@127.0.0.1:9/nowhere")
    with pytest.raises(DatabaseUnavailable):
        await JobQueue(Database(settings, SecretStore(settings)), outbox).submit(backtest())
    assert outbox.sent == []


async def test_a_backtest_is_run_and_stored(database: Database, queue: JobQueue, work: Background):
    job = backtest()
    await queue.submit(job)
    await run_job(job.id, work.context)
    async with database.session() as session:
        stored = (await session.scalars(select(Backtest))).one()
    assert (stored.job_id, stored.backtest_id, stored.strategy_name) == (job.id, "HRP_20260105_120000", "HRP")
    assert list(stored.config) == ["start_date", "end_date", "initial_capital", "optimization_method"]
    assert list(stored.weights) == list(TICKERS)
    assert sum(stored.weights.values()) == pytest.approx(1)
    assert list(stored.metrics)[:2] == ["Total Return", "CAGR"]
    assert set(stored.evidence) >= {"days", "daily_sharpe", "skewness", "kurtosis"}
    row = await row_of(database, job.id)
    assert (row.state, row.error, row.attempts) == (JobState.COMPLETED, None, 1)


async def test_a_job_delivered_twice_has_one_outcome(database: Database, queue: JobQueue, work: Background):
    job = backtest()
    await queue.submit(job)
    await asyncio.gather(run_job(job.id, work.context), run_job(job.id, work.context))
    await run_job(job.id, work.context)
    assert await count(database, Backtest) == 1
    assert (await row_of(database, job.id)).attempts <= 2


async def test_equal_backtests_of_one_second_are_both_kept(database: Database, queue: JobQueue, work: Background):
    for job in (backtest(), backtest()):
        await queue.submit(job)
        await run_job(job.id, work.context)
    assert await count(database, Backtest) == 2


async def test_a_job_that_was_interrupted_runs_again(database: Database, queue: JobQueue, work: Background):
    job = backtest()
    await queue.submit(job)
    async with database.session() as session:  # as far as an environment that was killed has come
        await JobRepository(session).claim(job.id, utc_now())
    await run_job(job.id, work.context)
    assert (await row_of(database, job.id)).state == JobState.COMPLETED
    assert await count(database, Backtest) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"start_date": "not-a-date"}, "Failed to fetch price data"),
        ({"end_date": "2024-13-01"}, "Failed to fetch price data"),
        ({"start_date": "2024-12-31", "end_date": "2024-01-01"}, "Failed to fetch price data"),
        (
            {"strategy_name": "Stat_Arb"},
            "Unknown strategy: Stat_Arb. "
            "Available: ['Momentum_21D', 'Momentum_63D', 'Momentum_126D', 'Dual_Momentum', 'HRP']",
        ),
    ],
)
async def test_what_cannot_succeed_is_recorded_and_does_not_come_again(
    changes: dict[str, Any], error: str, database: Database, queue: JobQueue, work: Background
):
    job = backtest(**changes)
    await queue.submit(job)
    assert await run_batch({"Records": [message(job.id)]}, work.context) == {"batchItemFailures": []}
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, f"Invalid parameter: {error}")


async def test_what_cannot_be_done_now_comes_again_and_then_succeeds(
    database: Database, queue: JobQueue, work: Background
):
    jobs = [backtest(), backtest(tickers=["UP", "DOWN"])]
    for job in jobs:
        await queue.submit(job)
    work.market.failing = {"SPY": FailureClass.SERVER_ERROR}
    batch = {"Records": [message(job.id, number) for number, job in enumerate(jobs)]}
    assert await run_batch(batch, work.context) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    row = await row_of(database, jobs[0].id)
    assert (row.state, row.error) == (JobState.FAILED, "Invalid parameter: Failed to fetch price data")
    work.market.failing = {}
    assert await run_batch({"Records": [message(jobs[0].id)]}, work.context) == {"batchItemFailures": []}
    row = await row_of(database, jobs[0].id)
    assert (row.state, row.error, row.attempts) == (JobState.COMPLETED, None, 2)


async def test_an_unforeseen_failure_is_recorded_without_its_text(
    database: Database, queue: JobQueue, work: Background, monkeypatch: pytest.MonkeyPatch
):
    async def fail(*_: object) -> None:
        raise RuntimeError("postgresql://user:password@host")

    monkeypatch.setattr(work.context.prices, "load_closes", fail)
    job = scan()
    await queue.submit(job)
    await run_job(job.id, work.context)
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, "An unexpected error occurred")


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"job_id": 7}'])
async def test_a_message_that_is_no_job_is_reported(body: str, work: Background):
    report = await run_batch({"Records": [{"messageId": "odd", "body": body}]}, work.context)
    assert report == {"batchItemFailures": [{"itemIdentifier": "odd"}]}


async def test_a_job_is_run_under_the_id_of_the_request_it_came_of(
    queue: JobQueue, work: Background, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str] = []

    async def look(*_: object) -> None:
        seen.append(correlation_id())

    monkeypatch.setattr(work.context.prices, "refresh", lambda *_, **__: look())
    for message_id, extra in (("m1", ', "correlation_id": "request-7"'), ("m2", ', "correlation_id": ""'), ("m3", "")):
        job = RefreshRequest(tickers=TICKERS).to_job()
        await queue.submit(job)
        body = f'{{"job_id": "{job.id}"{extra}}}'
        await run_batch({"Records": [{"messageId": message_id, "body": body}]}, work.context)
    assert seen == ["request-7", "m2", "m3"]


async def test_jobs_are_counted_and_timed_by_kind(queue: JobQueue, work: Background, monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[str, str]] = []
    monkeypatch.setattr("target.jobs.run.record_metric", lambda name, _unit, _value, kind: told.append((name, kind)))
    for job in (scan(), backtest(start_date="never")):
        await queue.submit(job)
        await run_job(job.id, work.context)
    assert told == [
        ("JobsCompleted", "scan"),
        ("JobDuration", "scan"),
        ("JobsFailed", "backtest"),
        ("JobDuration", "backtest"),
    ]


async def test_a_message_of_an_unknown_job_is_done(work: Background):
    assert await run_batch({"Records": [message("gone")]}, work.context) == {"batchItemFailures": []}


async def test_a_scan_stores_what_it_found_best_first(database: Database, queue: JobQueue, work: Background):
    job = scan(min_volume=-1)
    await queue.submit(job)
    await run_job(job.id, work.context)
    async with database.session() as session:
        stored = (await session.scalars(select(Scan))).one()
    assert (stored.tickers_scanned, stored.filters["min_volume"]) == (3, -1)
    assert {stock["ticker"] for stock in stored.stocks} == set(TICKERS)
    scores = [stock["score"] for stock in stored.stocks]
    assert scores == sorted(scores, reverse=True)
    assert list(stored.stocks[0]["details"]) == ["adr_pct", "rs_rank", "pattern"]


async def test_a_scan_takes_ranges_and_volumes_from_the_daily_ingest(postgres_url: str, tmp_path: Path, outbox: Outbox):
    settings = settings_for(postgres_url)
    database = Database(settings, SecretStore(settings))
    work = background(database, tmp_path / "cache")
    async with database.session() as session:
        await session.execute(
            text(
                "INSERT INTO market_data (ticker, date, open, high, low, close, volume)"
                " SELECT 'SPY', day::date, 100, 110, 100, 105, 5000 + extract(day FROM day)::int"
                " FROM generate_series(current_date - 60, current_date, interval '1 day') AS day"
            )
        )
    job = scan(min_volume=1_000)
    await JobQueue(database, outbox).submit(job)
    await run_job(job.id, work.context)
    async with database.session() as session:
        stored = (await session.scalars(select(Scan))).one()
        last = await session.scalar(text("SELECT volume FROM market_data ORDER BY date DESC LIMIT 1"))
    by_ticker = {stock["ticker"]: stock for stock in stored.stocks}
    assert (by_ticker["SPY"]["volume"], by_ticker["SPY"]["details"]["adr_pct"]) == (last, 10.0)
    assert by_ticker["TLT"]["volume"] is None
    await database.dispose()


async def test_a_refresh_fetches_what_the_cache_lacks(database: Database, queue: JobQueue, work: Background):
    for force, asks in ((False, 1), (False, 1), (True, 2)):
        job = RefreshRequest(tickers=TICKERS, force=force).to_job()
        await queue.submit(job)
        await run_job(job.id, work.context)
        assert (await row_of(database, job.id)).state == JobState.COMPLETED
        assert len(work.market.asked) == asks


async def test_texts_that_only_json_can_hold_are_carried_to_the_worker(
    database: Database, queue: JobQueue, work: Background
):
    odd = "a\x00b\u2028\U0001f99c"
    job = backtest(optimization_method=odd)
    await queue.submit(job)
    await run_job(job.id, work.context)
    async with database.session() as session:
        assert (await session.scalars(select(Backtest.config))).one()["optimization_method"] == odd


async def test_the_latest_to_end_counts_whatever_was_submitted_last(database: Database):
    first, second = backtest(), backtest()
    now = datetime(2026, 1, 5)
    async with database.session() as session:
        jobs = JobRepository(session)
        for job in (first, second):
            await jobs.add(job, now)
        await jobs.record_failure(second.id, "early", now + timedelta(seconds=1))
        await jobs.record_completion(first.id, now + timedelta(seconds=2))
        (ended,) = await jobs.list_latest_ended(first.kind)
        assert ended.job_id == first.id
        latest = await jobs.find_latest(first.kind, "HRP")
        assert latest is not None
        assert latest.job_id == second.id
