"""How the API hands over its background work, also where the database is not loaded before there is any."""

from collections.abc import Callable
from typing import Protocol

from target.jobs.job import Job


class JobSubmission(Protocol):
    """Where jobs are handed over; see JobQueue."""

    async def submit(self, job: Job) -> None:
        """Commit the job and send it; once this returns, it will be run at least once.

        Raises:
            DatabaseUnavailable: nothing was committed.
            QueueUnavailable: the job is recorded as failed; a later delivery would still run it.
        """


class DeferredSubmission:
    """A JobSubmission that is opened with its first job: it imports the database then."""

    def __init__(self, open_submission: Callable[[], JobSubmission]) -> None:
        self._open = open_submission
        self._opened: JobSubmission | None = None

    async def submit(self, job: Job) -> None:
        """See JobSubmission."""
        if self._opened is None:
            self._opened = self._open()
        await self._opened.submit(job)
