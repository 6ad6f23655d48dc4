"""A price cache in a directory, with a market and a clock that tests set."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from target.storage.directory import DirectoryObjects
from target.storage.objects import ObjectStore
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
