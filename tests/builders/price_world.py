"""A price cache in a directory, with a market and a clock that tests set."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from target.storage.directory import DirectoryObjects
from target.storage.objects import ObjectInfo, ObjectStore, StoredObject
from target.storage.prices import PriceStore
from tests.builders.fake_market import FakeMarket

START = date(2026, 1, 5)
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
ALWAYS_TRADED = [day for n in range(75) if (day := START + timedelta(days=n)).weekday() < 5 and day <= TODAY]


@dataclass
class World:
    """A directory, a market and a clock; each store made from them is a process of its own."""

    root: Path
    market: FakeMarket = field(default_factory=FakeMarket)
    now: datetime = NOW

    def objects(self) -> ObjectStore:
        return DirectoryObjects(self.root)

    def store(self, objects: ObjectStore | None = None) -> PriceStore:
        return PriceStore(objects or self.objects(), self.market, clock=lambda: self.now)

    def asked(self) -> list[tuple[tuple[str, ...], date, date]]:
        """What the market was asked since this was last called."""
        asked, self.market.asked = self.market.asked, []
        return asked

    def list_keys(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())


def last_final(day: date) -> date:
    """The last trading day before a day."""
    return max(each for each in ALWAYS_TRADED if each < day)


class Dying(Exception):
    """The process ends here."""


class PassingThrough:
    """A store that does what another one does; tests change one method."""

    def __init__(self, inner: ObjectStore) -> None:
        self.location = inner.location
        self._inner = inner

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        return await self._inner.find(key, known)

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        return await self._inner.replace(key, body, over=over)

    async def remove(self, key: str) -> None:
        await self._inner.remove(key)

    async def list_objects(self, below: str = "") -> Sequence[ObjectInfo]:
        return await self._inner.list_objects(below)

    async def list_top(self) -> Sequence[ObjectInfo]:
        return await self._inner.list_top()


class Waiting(PassingThrough):
    """Waits before the writes of some objects."""

    def __init__(self, inner: ObjectStore, keys: Collection[str], until: Callable[[], Awaitable[None]]) -> None:
        super().__init__(inner)
        self._keys, self._until = keys, until

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        if key in self._keys:
            await self._until()
        return await super().replace(key, body, over=over)
