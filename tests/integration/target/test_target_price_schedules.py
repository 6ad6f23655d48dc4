"""Writers, readers and listings of the price cache in many orders, with and without a store that fails."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from target.errors import StorageUnavailable
from target.storage.counters import CacheCounters
from target.storage.price_field import PriceField
from target.storage.price_generation import FILES, FOLDER, MANIFEST, decode_manifest
from target.storage.price_listing import list_price_files
from target.storage.price_reader import PriceReader
from tests.builders.chaotic_objects import ChaoticObjects
from tests.builders.price_world import ALWAYS_TRADED, START, World

_ROUNDS = (("A", "B", "C"), ("D", "E", "A"))


@pytest.fixture(autouse=True)
def _in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the seed decides the order: no thread, no wait."""

    async def at_once(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    monkeypatch.setattr("asyncio.to_thread", at_once)
    monkeypatch.setattr("random.uniform", lambda _low, _high: 0.0)


async def _write(world: World, objects: ChaoticObjects, ticker: str, done: set[str]) -> None:
    with suppress(StorageUnavailable):
        await world.store(objects).refresh([ticker], START, force=True)
        done.add(ticker)


async def _read(objects: ChaoticObjects, is_over: asyncio.Event) -> None:
    """All that a reader sees was written together, and nothing goes away again."""
    reader, seen = PriceReader(objects, CacheCounters()), set[str]()
    while not is_over.is_set():
        with suppress(StorageUnavailable):
            pair = (await reader.read(PriceField)).pair
            assert pair.close.tickers == pair.open.tickers
            assert np.array_equal(pair.open.values, pair.close.values + 0.5)
            assert seen <= set(pair.close.tickers)
            seen = set(pair.close.tickers)
        await asyncio.sleep(0)


async def _list(objects: ChaoticObjects, is_over: asyncio.Event) -> None:
    """No file is told before the first generation, two of one generation ever after."""
    has_files = False
    while not is_over.is_set():
        with suppress(StorageUnavailable):
            files = await list_price_files(objects)
            assert [info.key for info in files] == sorted(FILES.values()) or not (files or has_files)
            has_files = bool(files)
            homes = [{key.rpartition("/")[0] for key in objects.written[info.etag]} for info in files]
            assert not files or any(home.startswith(FOLDER) for home in set.intersection(*homes))
        await asyncio.sleep(0)


@pytest.mark.parametrize("faults", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(40))
async def test_whatever_the_order_nothing_is_lost_or_torn(tmp_path: Path, seed: int, faults: float) -> None:
    world = World(tmp_path)
    objects = ChaoticObjects(seed=seed, clock=lambda: world.now, faults=faults)
    is_over, done = asyncio.Event(), set[str]()
    async with asyncio.TaskGroup() as watchers:
        watchers.create_task(_read(objects, is_over))
        watchers.create_task(_read(objects, is_over))
        watchers.create_task(_list(objects, is_over))
        for tickers in _ROUNDS:
            await asyncio.gather(*(_write(world, objects, ticker, done) for ticker in tickers))
            world.now += timedelta(hours=2)  # so that the next round removes what this one left behind
        is_over.set()

    objects.faults = 0.0
    await world.store(objects).refresh(["Z"], START)
    table = await world.store(objects).read_cached([*sorted(done), "Z"])
    assert faults or done == {"A", "B", "C", "D", "E"}
    assert table.dates.tolist() == ALWAYS_TRADED
    assert not np.isnan(table.values).any()
    current = decode_manifest(await objects.find(MANIFEST))  # type: ignore[arg-type]
    for which, name in FILES.items():
        assert objects.bodies[name][0] == objects.bodies[current.key(which)][0]
