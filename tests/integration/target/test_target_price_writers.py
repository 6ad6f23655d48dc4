"""The writers of the price cache: however they end and whoever else writes, nothing is torn or lost."""

import asyncio
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from target.errors import StorageUnavailable
from target.storage.counters import CacheCounters
from target.storage.coverage import RECHECK_AFTER
from target.storage.objects import ObjectChanged, ObjectStore, StoredObject, UnreadableObject
from target.storage.price_field import PriceField
from target.storage.price_generation import FILES, FOLDER, MANIFEST
from target.storage.price_reader import PriceReader
from tests.builders.price_world import ALWAYS_TRADED, START, TODAY, Dying, PassingThrough, Waiting, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


class InterruptedObjects(PassingThrough):
    """Ends the process before, or right after, its so many-th write."""

    def __init__(self, inner: ObjectStore, writes: int, *, after: bool) -> None:
        super().__init__(inner)
        self._left, self._after = writes, after

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        self._left -= 1
        if self._left < 0 and not self._after:
            raise Dying
        etag = await super().replace(key, body, over=over)
        if self._left < 0:
            raise Dying
        return etag


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("writes", range(5))
async def test_a_writer_that_ends_anywhere_leaves_one_whole_generation(world: World, writes: int, after: bool) -> None:
    await world.store().load_closes(["SPY"], START)
    world.now += timedelta(days=4)
    world.market.scale = 0.98  # so that closes and opens of two generations would not fit
    with pytest.raises(Dying):
        await world.store(InterruptedObjects(world.objects(), writes, after=after)).refresh(["SPY"], START)
    closes, opens = [await world.store().read_cached(["SPY"], field=which) for which in ("close", "open")]
    assert np.array_equal(closes.dates, opens.dates)
    assert np.array_equal(opens.values, closes.values + 0.5)
    assert len(closes) in (len(ALWAYS_TRADED), len(ALWAYS_TRADED) + 2)
    world.now += RECHECK_AFTER
    table = await world.store().load_closes(["SPY"], START)
    assert table.column("SPY").tolist() == [world.market.close("SPY", day) for day in table.dates.tolist()]
    published = pd.read_parquet(world.root / FILES[PriceField.CLOSE])
    assert published["SPY"].tolist() == table.column("SPY").tolist()


async def test_writers_at_once_lose_nothing_of_each_other(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    names = [f"T{number}" for number in range(6)]
    stores = [world.store() for _ in names]
    await asyncio.gather(*(store.load_closes([name], START) for store, name in zip(stores, names, strict=True)))
    assert sum(store.counters.conflicts for store in stores) > 0
    table = await world.store().read_cached(["SPY", *names])
    assert not np.isnan(table.values).any()
    assert list(pd.read_parquet(world.root / FILES[PriceField.CLOSE]).columns) == ["SPY", *names]


async def test_copies_follow_a_generation_whose_files_are_older_than_they(world: World) -> None:
    has_committed, may_publish = asyncio.Event(), asyncio.Event()

    async def until_the_second_has_written() -> None:
        has_committed.set()
        await may_publish.wait()

    async def until_the_first_has_published() -> None:
        may_publish.set()
        await first

    one = world.store(Waiting(world.objects(), FILES.values(), until_the_second_has_written))
    other = world.store(Waiting(world.objects(), (MANIFEST,), until_the_first_has_published))
    first = asyncio.create_task(one.load_closes(["SPY"], START))
    await has_committed.wait()
    await other.load_closes(["QQQ"], START)
    for name in FILES.values():
        assert sorted(pd.read_parquet(world.root / name).columns) == ["QQQ", "SPY"]


async def test_copies_that_a_killed_writer_left_behind_follow_with_the_next_that_finds_nothing_new(
    world: World,
) -> None:
    await world.store().load_closes(["SPY"], START)
    with pytest.raises(Dying):
        await world.store(InterruptedObjects(world.objects(), 3, after=False)).load_closes(["QQQ"], START)
    copies = [world.root / name for name in FILES.values()]
    for copy in copies:
        os.utime(copy)  # as if another had published the older ones meanwhile
        assert list(pd.read_parquet(copy).columns) == ["SPY"]
    world.now += RECHECK_AFTER
    await world.store().load_closes(["SPY", "QQQ"], START)
    for copy in copies:
        assert sorted(pd.read_parquet(copy).columns) == ["QQQ", "SPY"]


async def test_two_ranges_of_one_ticker_written_at_once_are_both_kept(world: World) -> None:
    await asyncio.gather(
        world.store().load_closes(["SPY"], START, date(2026, 2, 6)),
        world.store().load_closes(["SPY"], date(2026, 2, 2), TODAY),
    )
    world.asked()
    table = await world.store().load_closes(["SPY"], START)
    assert table.dates.tolist() == ALWAYS_TRADED


class Contended(PassingThrough):
    """Another writer always comes first."""

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        if key == MANIFEST:
            raise ObjectChanged(key)
        return await super().replace(key, body, over=over)


async def test_a_writer_that_never_gets_its_turn_gives_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _low, _high: 0.0)
    store = world.store(Contended(world.objects()))
    with pytest.raises(StorageUnavailable, match="Others write"):
        await store.refresh(["SPY"], START)


class LostAnswer(PassingThrough):
    """The first write below `prefix` is done, but its client tries again and is told that another one came first."""

    def __init__(self, inner: ObjectStore, prefix: str) -> None:
        super().__init__(inner)
        self._prefix: str | None = prefix

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        etag = await super().replace(key, body, over=over)
        if self._prefix is not None and key.startswith(self._prefix):
            self._prefix = None
            raise ObjectChanged(key)
        return etag


@pytest.mark.parametrize(("prefix", "tries"), [(MANIFEST, 1), (FOLDER, 2)])
async def test_a_write_whose_answer_was_lost_is_not_lost(world: World, prefix: str, tries: int) -> None:
    store = world.store(LostAnswer(world.objects(), prefix))
    await store.refresh(["SPY"], START)
    assert store.counters.conflicts == tries - 1
    assert len(await world.store().read_cached(["SPY"])) == len(ALWAYS_TRADED)


class WrittenMeanwhile(PassingThrough):
    """Between a reader's two files, somebody writes the first generation and its copies."""

    def __init__(self, world: World) -> None:
        super().__init__(world.objects())
        self._world = world

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        if key == FILES[PriceField.OPEN]:
            await self._world.store().refresh(["SPY"], START)
        return await super().find(key, known)


async def test_a_reader_of_the_first_generation_s_copies_does_not_take_one_for_the_legacy_s(world: World) -> None:
    pair = (await PriceReader(WrittenMeanwhile(world), CacheCounters()).read(PriceField)).pair
    assert pair.close.tickers == pair.open.tickers == ("SPY",)
    assert np.array_equal(pair.open.values, pair.close.values + 0.5)


async def test_old_generations_are_removed_after_an_hour_and_the_current_one_never(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    await world.store().load_closes(["QQQ"], START)
    assert len([key for key in world.list_keys() if key.startswith(FOLDER)]) == 4
    world.now = datetime.now(UTC) + timedelta(hours=2)
    await world.store().refresh(["GLD"], START)
    current = json.loads((world.root / MANIFEST).read_bytes())["generation"]
    assert [key for key in world.list_keys() if key.startswith(FOLDER)] == [
        f"{FOLDER}{current}/{name}" for name in sorted(FILES.values())
    ]


async def test_a_reader_whose_generation_was_removed_reads_the_newer_one(world: World) -> None:
    reader = world.store()
    await world.store().load_closes(["SPY"], START)
    stale = await world.objects().find(MANIFEST)
    assert stale is not None
    await world.store().load_closes(["QQQ"], START)
    for key in world.list_keys():
        if key.startswith(FOLDER) and json.loads(stale.body)["generation"] in key:
            (world.root / key).unlink()
    reader._reader._manifest = stale  # as if read just before the newer one was written
    assert (await reader.read_cached(["SPY", "QQQ"])).tickers == ("SPY", "QQQ")


async def test_a_manifest_that_cannot_be_read_is_named_with_the_way_out(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    (world.root / MANIFEST).write_text('{"format_version": 7}')
    with pytest.raises(UnreadableObject, match=r"us_prices\.json .*format 7.*remove it"):
        await world.store().read_cached(["SPY"])
    (world.root / MANIFEST).unlink()
    assert len(await world.store().read_cached(["SPY"])) == len(ALWAYS_TRADED)


async def test_what_changed_nothing_writes_no_prices(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    before = world.list_keys()
    world.now += RECHECK_AFTER
    await world.store().load_closes(["SPY"], START)
    assert world.list_keys() == before
