"""No submitted job is lost: the row comes first, the queue is told afterwards, and what was forgotten is sent later."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from target_support import client_of, settings_for

from target.app import create_app
from target.clock import utc_now
from target.database.engine import Database
from target.errors import DatabaseUnavailable, QueueUnavailable
from target.jobs.job import JobState
from target.jobs.queue import JobQueue
from target.jobs.sqs import SqsSender
from target.repositories.jobs import JobRepository
from target.secrets import SecretStore
from tests.builders.background import TICKERS, Outbox, backtest_job, row_of, scan_job


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def queue(database: Database, outbox: Outbox) -> JobQueue:
    return JobQueue(database, outbox)


async def test_a_submitted_job_is_committed_before_it_is_sent(database: Database):
    seen: list[str] = []

    class Looking:
        async def send(self, job_id: str) -> None:
            seen.append((await row_of(database, job_id)).state)

    job = backtest_job()
    await JobQueue(database, Looking()).submit(job)
    assert seen == [JobState.QUEUED]
    row = await row_of(database, job.id)
    assert (row.kind, row.subject, row.payload["tickers"]) == ("backtest", "HRP", list(TICKERS))
    assert row.sent_at is not None


async def test_a_job_that_the_queue_refuses_is_on_record_as_failed(database: Database, queue: JobQueue, outbox: Outbox):
    outbox.refuses = True
    job = backtest_job()
    with pytest.raises(QueueUnavailable):
        await queue.submit(job)
    row = await row_of(database, job.id)
    assert (row.state, row.error) == (JobState.FAILED, "The job could not be queued, please retry")


async def test_a_job_whose_sender_ended_is_sent_with_the_next_one(database: Database, queue: JobQueue, outbox: Outbox):
    forgotten, fresh = backtest_job(), backtest_job()
    async with database.session() as session:
        await JobRepository(session).add(forgotten, utc_now() - timedelta(minutes=1))
        await JobRepository(session).add(fresh, utc_now())  # another process is about to send it
    job = scan_job()
    await queue.submit(job)
    assert outbox.sent == [job.id, forgotten.id]
    await queue.submit(scan_job())
    assert outbox.sent.count(forgotten.id) == 1


async def test_a_queue_that_refuses_what_was_forgotten_has_still_accepted_the_new_job(database: Database):
    class Narrow(Outbox):
        async def send(self, job_id: str) -> None:
            self.refuses = bool(self.sent)
            await super().send(job_id)

    forgotten = backtest_job()
    async with database.session() as session:
        await JobRepository(session).add(forgotten, utc_now() - timedelta(minutes=1))
    await JobQueue(database, Narrow()).submit(scan_job())
    assert (await row_of(database, forgotten.id)).state == JobState.FAILED


async def test_a_job_that_is_sent_counts_as_submitted_though_the_database_goes_away_meanwhile(
    database: Database, queue: JobQueue, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
):
    async def goes_away(*_: object) -> None:
        raise DatabaseUnavailable("It restarts.")

    forgotten, job = backtest_job(), scan_job()
    async with database.session() as session:
        await JobRepository(session).add(forgotten, utc_now() - timedelta(minutes=1))
    with monkeypatch.context() as away:
        away.setattr(JobRepository, "record_sent", goes_away)
        await queue.submit(job)
    assert outbox.sent == [job.id, forgotten.id]
    assert (await row_of(database, job.id)).state == JobState.QUEUED

    later = JobQueue(database, outbox, now=lambda: utc_now() + timedelta(minutes=1))
    await later.submit(scan_job())
    assert sorted(outbox.sent[3:]) == sorted([job.id, forgotten.id])


async def test_a_database_that_is_away_accepts_no_job(outbox: Outbox):
    settings = settings_for("postgresql://nobody@127.0.0.1:9/nowhere")
    with pytest.raises(DatabaseUnavailable):
        await JobQueue(Database(settings, SecretStore(settings)), outbox).submit(backtest_job())
    assert outbox.sent == []


async def test_the_latest_to_end_counts_whatever_was_submitted_last(database: Database):
    first, second = backtest_job(), backtest_job()
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


async def test_a_function_that_meets_no_rows_opens_the_database_with_its_first_job(
    database_url: str, database: Database, outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(SqsSender, "send", lambda _, job_id: outbox.send(job_id))
    settings = settings_for(
        database_url, jobs_queue_url="http://queue.test/jobs", local_cache_directory=str(tmp_path / "cache")
    )
    app = create_app(settings, ("data", "universes"))
    async with client_of(app) as client:
        assert (await client.get("/api/data/status")).status_code == 200
        assert not hasattr(app.state, "database")
        for _ in range(2):
            answer = await client.post("/api/data/refresh", json={"tickers": ["SPY"]})
            assert answer.status_code == 200
    await app.state.database.dispose()
    assert len(set(outbox.sent)) == 2
    rows = [await row_of(database, job_id) for job_id in outbox.sent]
    assert [(row.kind, row.payload["tickers"]) for row in rows] == [("refresh", ["SPY"])] * 2
