"""No job has two outcomes, and what became of each can be read, on both databases."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from target_support import settings_for

from target.clock import utc_now
from target.database.engine import Database
from target.database.jobs import Backtest, Scan
from target.jobs.batch import run_batch
from target.jobs.job import JobState
from target.jobs.queue import JobQueue
from target.jobs.requests import RefreshRequest
from target.jobs.run import run_job
from target.market_data.bars import FailureClass
from target.observability.correlation import correlation_id
from target.repositories.jobs import JobRepository
from target.secrets import SecretStore
from tests.builders.background import TICKERS, Background, Outbox, background, backtest_job, row_of, scan_job


@pytest.fixture
def work(database: Database, tmp_path: Path) -> Background:
    return background(database, tmp_path / "cache")


@pytest.fixture
def queue(database: Database) -> JobQueue:
    return JobQueue(database, Outbox())


def message(job_id: str, number: int = 1) -> dict[str, Any]:
    return {"messageId": f"m{number}", "body": f'{{"job_id": "{job_id}"}}'}


async def count(database: Database, table: type[Backtest | Scan]) -> int:
    async with database.session() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_backtest_is_run_and_stored(database: Database, queue: JobQueue, work: Background):
    job = backtest_job()
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
    job = backtest_job()
    await queue.submit(job)
    await asyncio.gather(run_job(job.id, work.context), run_job(job.id, work.context))
    await run_job(job.id, work.context)
    assert await count(database, Backtest) == 1
    assert (await row_of(database, job.id)).attempts <= 2


async def test_equal_backtests_of_one_second_are_both_kept(database: Database, queue: JobQueue, work: Background):
    for job in (backtest_job(), backtest_job()):
        await queue.submit(job)
        await run_job(job.id, work.context)
    assert await count(database, Backtest) == 2


async def test_a_job_that_was_interrupted_runs_again(database: Database, queue: JobQueue, work: Background):
    job = backtest_job()
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
    job = backtest_job(**changes)
    await queue.submit(job)
    assert await run_batch({"Records": [message(job.id)]}, work.context) == {"batchItemFailures": []}
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, f"Invalid parameter: {error}")


async def test_what_cannot_be_done_now_comes_again_and_then_succeeds(
    database: Database, queue: JobQueue, work: Background
):
    jobs = [backtest_job(), backtest_job(tickers=["UP", "DOWN"])]
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
    job = scan_job()
    await queue.submit(job)
    await run_job(job.id, work.context)
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, "An unexpected error occurred")


async def test_an_outcome_that_cannot_be_stored_is_a_failure(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = settings_for(postgres_url)
    database = Database(settings, SecretStore(settings))
    work = background(database, tmp_path / "cache")
    columns = {
        "metrics": {},
        "final_value": 1.0,
        "weights": {"X": float("nan")},
        "evidence": {},
    }  # no JSON of PostgreSQL's
    monkeypatch.setattr("target.jobs.backtest._columns_of", lambda _: columns)
    job = backtest_job()
    await JobQueue(database, Outbox()).submit(job)
    assert await run_batch({"Records": [message(job.id)]}, work.context) == {"batchItemFailures": []}
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, "An unexpected error occurred")
    await database.dispose()


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
    for job in (scan_job(), backtest_job(start_date="never")):
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
    job = scan_job(min_volume=-1)
    await queue.submit(job)
    await run_job(job.id, work.context)
    async with database.session() as session:
        stored = (await session.scalars(select(Scan))).one()
    assert (stored.tickers_scanned, stored.filters["min_volume"]) == (3, -1)
    assert {stock["ticker"] for stock in stored.stocks} == set(TICKERS)
    scores = [stock["score"] for stock in stored.stocks]
    assert scores == sorted(scores, reverse=True)
    assert list(stored.stocks[0]["details"]) == ["adr_pct", "rs_rank", "pattern"]


async def test_a_scan_takes_ranges_and_volumes_from_the_daily_ingest(postgres_url: str, tmp_path: Path):
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
    job = scan_job(min_volume=1_000)
    await JobQueue(database, Outbox()).submit(job)
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
    job = backtest_job(optimization_method=odd)
    await queue.submit(job)
    await run_job(job.id, work.context)
    async with database.session() as session:
        assert (await session.scalars(select(Backtest.config))).one()["optimization_method"] == odd
