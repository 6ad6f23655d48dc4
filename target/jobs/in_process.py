"""Running jobs in the process that submits them, which is what local development without a queue does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from target.errors import DependencyUnavailable

_log = logging.getLogger(__name__)


class InProcessSender:
    """Runs each job as a task of the running loop; a process that ends takes its unfinished tasks with it."""

    def __init__(self, run: Callable[[str], Awaitable[None]]) -> None:
        self._run = run
        self._running: set[asyncio.Task[None]] = set()

    async def send(self, job_id: str) -> None:
        """Start the job; it goes on after the answer."""
        task = asyncio.ensure_future(self._run_one(job_id))
        self._running.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._running.discard)

    async def drain(self) -> None:
        """Return once every job that has been started has ended."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _run_one(self, job_id: str) -> None:
        try:
            await self._run(job_id)
        except DependencyUnavailable as error:  # recorded with the job; without a queue nobody tries again
            _log.warning("Job %s is not tried again: %s", job_id, error)
