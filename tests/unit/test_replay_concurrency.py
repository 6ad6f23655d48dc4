"""What several sessions at once may not be asked for, and the bounded concurrency below it."""

import asyncio
from pathlib import Path

import pytest

from harness.domain.errors import ConfigurationError
from harness.engine.overlap import run_each
from harness.settings import load_settings
from harness.wiring.replay import replay
from harness.wiring.replay_request import ReplayRequest, SideOptions


async def test_sessions_at_once_with_databases_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    side = SideOptions(url="http://127.0.0.1:9")
    request = ReplayRequest(
        legacy=side, target=side, legacy_db=tmp_path / "db", target_dsn="x", concurrency=2, out=tmp_path / "out"
    )
    with pytest.raises(ConfigurationError, match="one at a time"):
        await replay(request, load_settings(None))
    assert not (tmp_path / "out").exists()


async def test_no_more_run_at_once_than_allowed_and_all_are_started_in_order() -> None:
    started: list[int] = []
    at_once = most = 0

    async def run(item: int) -> None:
        nonlocal at_once, most
        started.append(item)
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    await run_each(range(10), run, limit=3)
    assert started == list(range(10)) and most == 3


async def test_the_first_error_is_raised_as_it_is_and_ends_the_others() -> None:
    ended: list[int] = []

    async def run(item: int) -> None:
        if item == 1:
            raise LookupError("second")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(item)

    with pytest.raises(LookupError, match="second"):
        await run_each(range(5), run, limit=2)
    assert ended == [0]
