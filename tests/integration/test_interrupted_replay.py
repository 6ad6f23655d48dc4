"""A replay that is interrupted, at one moment after the other: both databases are as before, nothing is left behind."""

import asyncio
import itertools
from pathlib import Path

import pytest

from harness.adapters.postgres import SNAPSHOT_SCHEMA
from harness.adapters.session_files import open_sessions
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.settings import Settings
from harness.wiring.replay import opened_sides
from harness.wiring.replay_request import ReplayRequest, SideOptions
from tests.builders.interruption import Interruption
from tests.builders.postgres import fetch
from tests.builders.small_pair import Databases, Servers, write_session

AS_BEFORE = [(1, "a"), (2, "b")]


EVERY = 5
"""Of about 170 moments each of these is tried; 1 tries them all."""


@pytest.mark.parametrize("is_late", [False, True], ids=["as it asks", "as the answer comes"])
async def test_an_interrupt_restores_both_databases_whenever_it_comes(
    servers: Servers, databases: Databases, tmp_path: Path, is_late: bool
) -> None:
    await asyncio.to_thread(databases.mark)
    create = {"name": "c", "request": {"method": "POST", "url": "/things", "json": {"name": "new"}}}
    sessions = open_sessions([write_session(tmp_path / "create.json", create)])
    request = ReplayRequest(
        legacy=SideOptions(url=servers.start("--sqlite", str(databases.sqlite_path))),
        target=SideOptions(url=servers.start("--dsn", databases.dsn)),
        legacy_db=databases.sqlite_path,
        target_dsn=databases.dsn,
        sessions=(),
        out=tmp_path,
    )
    options = ReplayOptions(repeat_gap_s=0)

    async def replay() -> None:
        async with opened_sides(request, Settings(), sessions.written) as sides:
            await replay_sessions(sessions, *sides, on_record=lambda _: None, options=options)

    for at in itertools.count(1 + is_late * (EVERY // 2), EVERY):
        interruption = Interruption(at, is_late=is_late)
        await interruption.during(replay)
        assert await asyncio.to_thread(databases.things) == (AS_BEFORE, AS_BEFORE), at
        left = await fetch(databases.dsn, f"SELECT to_regnamespace('{SNAPSHOT_SCHEMA}') IS NULL")
        assert left[0][0], at
        if not interruption.has_come:
            break
    assert at > 100, "the work had hardly a moment"
