"""An answer that several reads make up is as of the first, whatever a worker completes in between (ADR 9)."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from target_support import client_of, settings_for

from target.app import create_app
from target.jobs.queue import JobQueue
from target.jobs.run import run_job
from tests.builders.background import Outbox, background, backtest_job, scan_job

READS = ["/api/scanner/status", "/api/scanner/", "/api/strategies/HRP/status", "/api/strategies/HRP"]


def without_clock(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "timestamp"}


@pytest.mark.parametrize("url", READS)
async def test_a_job_that_completes_between_two_reads_is_in_both_or_in_none(
    url: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    app = create_app(settings_for(postgres_url))
    database = app.state.database
    work, jobs = background(database, tmp_path / "cache"), [scan_job(), backtest_job()]
    for job in jobs:
        await JobQueue(database, Outbox()).submit(job)
    read = AsyncSession.scalars

    async def read_and_complete(self: AsyncSession, *arguments: Any, **options: Any) -> Any:
        found = await read(self, *arguments, **options)
        while jobs:
            await run_job(jobs.pop().id, work.context)
        return found

    async with client_of(app) as client:
        before = (await client.get(url)).json()
        monkeypatch.setattr(AsyncSession, "scalars", read_and_complete)
        during = (await client.get(url)).json()
        after = (await client.get(url)).json()
    await database.dispose()
    assert jobs == []
    assert without_clock(during) == without_clock(before)
    assert without_clock(after) != without_clock(before)
