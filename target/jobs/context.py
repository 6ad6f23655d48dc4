"""What a worker needs of the world."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from target.clock import utc_now
from target.database.engine import Database
from target.quant.prices import PriceTable


class PriceSource(Protocol):
    """Cached prices; what is missing is fetched once."""

    async def load_closes(self, tickers: Sequence[str], start: date, end: date) -> PriceTable:
        """Return adjusted closes of the days from `start` to `end`, both included; unknown tickers have no column.

        Raises:
            DependencyUnavailable: neither the cache nor the market answers now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext:
    """One process's way to its database, its prices and its clock."""

    database: Database
    prices: PriceSource
    now: Callable[[], datetime] = utc_now
