"""What is told of the cache's files is of one moment, though a writer puts them one after another."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from target_support import client_of, settings_for

from target.app import create_app
from target.storage.objects import ObjectInfo, StoredObject, UnreadableObject
from target.storage.price_field import PriceField
from target.storage.price_generation import FILES, FOLDER, MANIFEST
from target.storage.price_listing import list_price_files
from tests.builders.price_world import START, PassingThrough, Waiting, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


@asynccontextmanager
async def copying(world: World, ticker: str) -> AsyncIterator[None]:
    """A writer whose generation is the current one, and who has not yet put the second of its copies."""
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    async def until_we_have_looked() -> None:
        has_begun.set()
        await may_end.wait()

    store = world.store(Waiting(world.objects(), (FILES[PriceField.OPEN],), until_we_have_looked))
    writer = asyncio.create_task(store.load_closes([ticker], START))
    await has_begun.wait()
    yield
    may_end.set()
    await writer


async def status_of(world: World) -> dict[str, Any]:
    settings = settings_for("sqlite://", local_cache_directory=str(world.root), tiingo_api_key="")
    async with client_of(create_app(settings)) as client:
        answer = await client.get("/api/data/status")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_the_status_is_of_the_current_generation_while_its_copies_are_put(world: World) -> None:
    async with copying(world, "SPY"):
        during = await status_of(world)
    after = await status_of(world)
    assert (during["cache_files"], during["us_tickers_cached"]) == (2, 2)
    assert during == after


async def test_copies_of_an_older_generation_are_not_told(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    before = await list_price_files(world.objects())
    async with copying(world, "A" * 3000):  # long, so that the sizes differ
        during = await list_price_files(world.objects())
    assert [info.key for info in during] == sorted(FILES.values())
    assert [info.size_bytes for info in during] == [(world.root / info.key).stat().st_size for info in during]
    assert all(new.size_bytes > old.size_bytes for new, old in zip(during, before, strict=True))


class WrittenMeanwhile(PassingThrough):
    """Another process caches prices right after the top was listed, once."""

    def __init__(self, world: World) -> None:
        super().__init__(world.objects())
        self._world = world
        self._left = 1

    async def list_top(self) -> Sequence[ObjectInfo]:
        listed = await super().list_top()
        while self._left:
            self._left -= 1
            await self._world.store().load_closes(["SPY"], START)
        return listed


async def test_the_first_generation_is_told_whole_though_nothing_was_listed_before(world: World) -> None:
    files = await list_price_files(WrittenMeanwhile(world))
    assert [info.key for info in files] == sorted(FILES.values())


class SweptMeanwhile(PassingThrough):
    """Right after the manifest was read, once, a newer generation is written and the older one removed."""

    def __init__(self, world: World) -> None:
        super().__init__(world.objects())
        self._world = world
        self._left = 1

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        found = await super().find(key, known)
        while self._left and key == MANIFEST:
            self._left -= 1
            self._world.now = datetime.now(UTC) + timedelta(hours=2)
            await self._world.store().refresh(["QQQ"], START)
        return found


async def test_a_generation_that_was_removed_meanwhile_gives_way_to_the_newer_one(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    read = json.loads((world.root / MANIFEST).read_bytes())["generation"]
    files = await list_price_files(SweptMeanwhile(world))
    assert not (world.root / FOLDER / read / FILES[PriceField.CLOSE]).exists()
    assert [info.size_bytes for info in files] == [(world.root / info.key).stat().st_size for info in files]


async def test_files_that_are_gone_for_good_are_told_with_what_to_do(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    for key in world.list_keys():
        if key.startswith(FOLDER):
            (world.root / key).unlink()
    with pytest.raises(UnreadableObject, match=r"us_prices\.json .*: restore them, or remove it"):
        await list_price_files(world.objects())


async def test_other_files_of_prices_are_told_too_and_without_a_manifest_all_that_lie_there(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    (world.root / "asx_etf_prices.parquet").write_bytes(b"the legacy's other loader's")
    (world.root / "data_freshness_meta.json").write_bytes(b"{}")
    expected = ["asx_etf_prices.parquet", *sorted(FILES.values())]
    assert [info.key for info in await list_price_files(world.objects())] == expected
    (world.root / MANIFEST).unlink()
    (world.root / FILES[PriceField.OPEN]).unlink()
    assert [info.key for info in await list_price_files(world.objects())] == expected[:2]
