"""Keeps what an ingest did."""

from collections.abc import Mapping, Sequence

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.ingest import IngestFailure, IngestRun


class IngestRunRepository:
    """Writes runs within the transaction of one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, run: IngestRun, failures: Sequence[Mapping[str, object]]) -> None:
        """Add a run and its failures, given by their columns; they get the run's new id."""
        self._session.add(run)
        await self._session.flush()
        if failures:
            await self._session.execute(insert(IngestFailure), [{**failure, "run_id": run.id} for failure in failures])
