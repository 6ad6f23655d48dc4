"""What a worker needs of the world."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from target.clock import utc_now
from target.database.engine import Database
from target.quant.allocation_mode import AllocationMode
from target.quant.prices import PriceTable
from target.secrets import SecretStore
from target.settings import Settings
from target.storage.objects import ObjectStore


class Prices(Protocol):
    """Cached prices: `target.storage.prices.PriceStore`, or a fake of it."""

    async def load_closes(self, tickers: Iterable[str], start: date, end: date | None = None) -> PriceTable:
        """Return closes, one column a ticker in the order given; what the cache lacks is fetched first.

        Raises:
            DependencyUnavailable: the cache, or what the market needs of us, cannot be had now.
        """

    async def refresh(self, tickers: Iterable[str], *, force: bool = False) -> object:
        """Bring the cache up to date for these tickers; `force` asks again for what it has of them.

        Raises: as `load_closes`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """One process's way to its database, its prices and its clock."""

    database: Database
    prices: Prices
    allocation_mode: AllocationMode = AllocationMode.COMPAT
    now: Callable[[], datetime] = utc_now


def open_context(settings: Settings, secrets: SecretStore, database: Database, objects: ObjectStore) -> WorkerContext:
    """Return the context of the real store and the real market. Opens no connection."""
    from target.storage.prices import open_prices  # noqa: PLC0415 - Parquet is for those who run jobs

    prices = open_prices(settings, secrets, objects)
    return WorkerContext(database=database, prices=prices, allocation_mode=settings.allocation_mode)
