"""Every statement on the jobs table."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.jobs import JobRow
from target.jobs.job import Job, JobKind, JobState

_SENT_TOGETHER = 10


class JobRepository:
    """Reads and writes jobs within the session's transaction; never commits."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, job: Job, now: datetime) -> None:
        """Insert a job that is not sent yet."""
        row = JobRow(
            job_id=job.id,
            kind=job.kind,
            subject=job.subject,
            payload=dict(job.payload),
            state=JobState.QUEUED,
            attempts=0,
            submitted_at=now,
        )
        self._session.add(row)
        await self._session.flush()

    async def list_unsent(self, *, submitted_before: datetime) -> list[str]:
        """Return the ids of the oldest queued jobs that no queue has accepted, a few at a time."""
        statement = (
            select(JobRow.job_id)
            .where(JobRow.sent_at.is_(None), JobRow.state == JobState.QUEUED, JobRow.submitted_at < submitted_before)
            .order_by(JobRow.id)
            .limit(_SENT_TOGETHER)
        )
        return list(await self._session.scalars(statement))

    async def record_sent(self, job_id: str, now: datetime) -> None:
        """Note that the queue has accepted the job."""
        await self._session.execute(update(JobRow).where(JobRow.job_id == job_id).values(sent_at=now))

    async def claim(self, job_id: str, now: datetime) -> Job | None:
        """Mark the job as running and return it; None if it is completed or unknown, when there is nothing to do."""
        statement = (
            update(JobRow)
            .where(*_unfinished(job_id))
            .values(
                state=JobState.RUNNING,
                attempts=JobRow.attempts + 1,
                started_at=now,
                finished_at=None,
                error=None,
            )
            .returning(JobRow.kind, JobRow.payload, JobRow.subject)
        )
        found = (await self._session.execute(statement)).one_or_none()
        if found is None:
            return None
        kind, payload, subject = found
        return Job(id=job_id, kind=JobKind(kind), payload=payload, subject=subject)

    async def record_completion(self, job_id: str, now: datetime) -> bool:
        """Mark the job as completed; False if another delivery of it has done so before."""
        values = {"state": JobState.COMPLETED, "finished_at": now, "error": None}
        done = await self._session.execute(
            update(JobRow).where(*_unfinished(job_id)).values(values).returning(JobRow.id)
        )
        return done.one_or_none() is not None

    async def record_failure(self, job_id: str, error: str, now: datetime) -> None:
        """Mark the job as failed with a text that clients may read, unless it is completed."""
        values = {"state": JobState.FAILED, "finished_at": now, "error": error}
        await self._session.execute(update(JobRow).where(*_unfinished(job_id)).values(values))

    async def find_latest(self, kind: JobKind, subject: str | None = None) -> JobRow | None:
        """Return the job of this kind (and subject) that was submitted last."""
        statement = select(JobRow).where(*_about(kind, subject)).order_by(JobRow.id.desc()).limit(1)
        return (await self._session.scalars(statement)).one_or_none()

    async def list_latest_ended(self, kind: JobKind, subject: str | None = None) -> Sequence[JobRow]:
        """Return the job of each subject that ended last, completed or failed, in the order of their subjects."""
        latest_first = (JobRow.finished_at.desc(), JobRow.id.desc())
        place = func.row_number().over(partition_by=JobRow.subject, order_by=latest_first).label("place")
        ended = select(JobRow.id, place).where(JobRow.finished_at.is_not(None), *_about(kind, subject)).subquery()
        statement = select(JobRow).join(ended, ended.c.id == JobRow.id).where(ended.c.place == 1)
        return (await self._session.scalars(statement.order_by(JobRow.subject))).all()


def _unfinished(job_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return JobRow.job_id == job_id, JobRow.state != JobState.COMPLETED


def _about(kind: JobKind, subject: str | None) -> list[ColumnElement[bool]]:
    return [JobRow.kind == kind] if subject is None else [JobRow.kind == kind, JobRow.subject == subject]
