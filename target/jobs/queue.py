"""Submitting jobs so that none is lost: the row is committed first, the queue is told afterwards.

What was committed but not sent (the process ended in between) is sent with a later job.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from target.clock import utc_now
from target.database.engine import Database
from target.errors import DatabaseUnavailable, DependencyUnavailable, QueueUnavailable
from target.jobs.in_process import InProcessSender
from target.jobs.job import Job
from target.jobs.sqs import SqsSender
from target.repositories.jobs import JobRepository
from target.secrets import SecretStore
from target.settings import Settings
from target.storage.objects import ObjectStore

_log = logging.getLogger(__name__)

_SENDING_TAKES_AT_MOST = timedelta(seconds=30)
_NOT_QUEUED = "The job could not be queued, please retry"


class Sender(Protocol):
    """The way to whoever runs jobs."""

    async def send(self, job_id: str) -> None:
        """Hand over one job, at least once.

        Raises:
            QueueUnavailable: the queue did not accept it, as far as can be told.
        """


def open_jobs(settings: Settings, secrets: SecretStore, database: Database, objects: ObjectStore) -> "JobQueue":
    """Return the queue of JOBS_QUEUE_URL, or one that runs its jobs in this process. Opens no connection."""
    if settings.jobs_queue_url:
        return JobQueue(database, SqsSender(settings.jobs_queue_url, settings.aws_region))

    async def run_here(job_id: str) -> None:
        # Here, not at the top: numpy is for processes that run jobs.
        from target.jobs.context import open_context  # noqa: PLC0415
        from target.jobs.run import run_job  # noqa: PLC0415

        await run_job(job_id, open_context(settings, secrets, database, objects))

    return JobQueue(database, InProcessSender(run_here))


class JobQueue:
    """A JobSubmission to a database and a queue."""

    def __init__(self, database: Database, sender: Sender, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._sender = sender
        self._now = now

    async def submit(self, job: Job) -> None:
        """See JobSubmission."""
        now = self._now()
        async with self._database.session() as session:
            jobs = JobRepository(session)
            forgotten = await jobs.list_unsent(submitted_before=now - _SENDING_TAKES_AT_MOST)
            await jobs.add(job, now)
        await self._send(job.id)
        await self._send_again(forgotten)

    async def _send(self, job_id: str) -> None:
        try:
            await self._sender.send(job_id)
        except QueueUnavailable:
            async with self._database.session() as session:
                await JobRepository(session).record_failure(job_id, _NOT_QUEUED, self._now())
            raise
        await self._note_sent(job_id)

    async def _note_sent(self, job_id: str) -> None:
        try:
            async with self._database.session() as session:
                await JobRepository(session).record_sent(job_id, self._now())
        except DatabaseUnavailable as error:
            # It is committed and sent: refused, the client would submit a second one.
            _log.warning("Job %s is sent once more with a later one, since it cannot be noted now: %s", job_id, error)

    async def _send_again(self, forgotten: list[str]) -> None:
        for job_id in forgotten:
            try:
                await self._send(job_id)
            except DependencyUnavailable as error:  # this submission has succeeded
                _log.warning("A job of before cannot be sent: %s", error)
