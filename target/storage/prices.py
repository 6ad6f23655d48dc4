"""Prices as the application asks for them: from the cache, and from the market what the cache lacks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from target.errors import MarketUnavailable
from target.market_data.bars import FailureClass
from target.quant.prices import PriceTable
from target.secrets import SecretStore
from target.settings import Settings
from target.storage.counters import CacheCounters
from target.storage.coverage import Coverage, Days
from target.storage.fetching import Fetched, Known, Market, fetch_all, questions_for
from target.storage.objects import ObjectStore
from target.storage.price_field import PriceField
from target.storage.price_reader import PriceReader
from target.storage.price_writer import PriceWriter

FIRST_DAY = date(2005, 1, 1)
"""Where the legacy's loaders begin. Source: contract section 5."""
_TICKERS_AT_ONCE = 100
"""Decades of so many fit into a function's memory while they come in; each lot is cached before the next."""


def open_prices(settings: Settings, secrets: SecretStore, objects: ObjectStore) -> "PriceStore":
    """Return the prices of the application's store and of the real market. Opens no connection."""
    # Here, not at the top: who only reads what is cached is spared the client.
    from target.market_data.client import MarketDataClient  # noqa: PLC0415

    return PriceStore(objects, MarketDataClient(settings, secrets.get_tiingo_token))


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did: tickers that were asked for, those of them with new answers, and why others have none."""

    asked: tuple[str, ...]
    answered: tuple[str, ...]
    failures: Mapping[str, FailureClass]


class PriceStore:
    """One process's prices; all are adjusted for splits and dividends, as the legacy's loaders cache them."""

    def __init__(
        self,
        objects: ObjectStore,
        market: Market,
        *,
        counters: CacheCounters | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.counters = counters or CacheCounters()
        self._market = market
        self._clock = clock
        self._reader = PriceReader(objects, self.counters)
        self._writer = PriceWriter(objects, self._reader, self.counters, clock=clock)

    async def load_closes(
        self, tickers: Iterable[str], start: date = FIRST_DAY, end: date | None = None, *, field: str = "close"
    ) -> PriceTable:
        """Return the prices of these tickers from `start` to `end` (today by default), both included.

        Days and tickers that the cache lacks are fetched and cached first, and only those. Guarantees: one column for
        each different ticker, in the order given, all NaN where there are no prices; the days are those on which any
        of them has a price. `field` is "close" or "open".

        Raises:
            MarketUnavailable: of a ticker nothing is cached, and its source does not answer now.
            StorageUnavailable: the cache cannot be read or written now.
            SecretsUnavailable: prices are missing, and the market's credentials cannot be had now.
            UnreadableObject: what is stored is no cache of prices.
        """
        asked = tuple(dict.fromkeys(tickers))
        refreshed = await self.refresh(asked, start, end)
        misses = len(refreshed.asked)
        self.counters.add(hits=len(asked) - misses, misses=misses)
        table = await self.read_cached(asked, start, end, field=field)
        _require_some(table, refreshed.failures)
        return table

    async def read_cached(
        self, tickers: Iterable[str], start: date | None = None, end: date | None = None, *, field: str = "close"
    ) -> PriceTable:
        """As `load_closes`, but fetch nothing: what the cache lacks is NaN.

        Raises:
            StorageUnavailable: the cache cannot be read now.
            UnreadableObject: what is stored is no cache of prices.
        """
        which = PriceField(field)
        snapshot = await self._reader.read([which])
        return _columns(snapshot.tables[which].between(start, end), tuple(dict.fromkeys(tickers)))

    async def refresh(
        self, tickers: Iterable[str], start: date = FIRST_DAY, end: date | None = None, *, force: bool = False
    ) -> Refreshed:
        """Bring the cache up to date for these tickers and days; `force` asks again for all that it has of them.

        A ticker's failure is told, not raised; what is cached of it stays.

        Raises: as `load_closes`, but for MarketUnavailable.
        """
        now = self._clock()
        wanted = Days(start, min(end or now.date(), now.date()))
        coverage = (await self._reader.current()).generation.coverage
        possible = dict.fromkeys(tickers) if wanted.first <= wanted.last else ()
        asked = tuple(ticker for ticker in possible if force or _lacks(coverage.get(ticker), wanted, now))
        answered: list[str] = []
        failures: dict[str, FailureClass] = {}
        for place in range(0, len(asked), _TICKERS_AT_ONCE):
            fetched = await self._refresh(asked[place : place + _TICKERS_AT_ONCE], wanted, now, is_forced=force)
            answered += fetched.asked
            failures |= fetched.failures
        return Refreshed(asked=asked, answered=tuple(answered), failures=failures)

    async def _refresh(self, tickers: Sequence[str], wanted: Days, now: datetime, *, is_forced: bool) -> Fetched:
        snapshot = await self._reader.read(PriceField)
        known = Known(pair=snapshot.pair, coverage=snapshot.generation.coverage)
        questions = [each for name in tickers for each in questions_for(name, wanted, known, now, is_forced=is_forced)]
        fetched = await fetch_all(self._market, questions, known)
        if fetched.asked:
            await self._writer.commit(lambda pair, coverage: fetched.applied(pair, coverage, now))
        return fetched


def _lacks(covered: Coverage | None, wanted: Days, now: datetime) -> bool:
    return covered is None or bool(covered.missing(wanted, now))


def _require_some(table: PriceTable, failures: Mapping[str, FailureClass]) -> None:
    """Older prices are better than none; but none are not the same as there being none."""
    lacking = [ticker for ticker, why in failures.items() if why.may_pass and np.isnan(table.column(ticker)).all()]
    if lacking:
        why = failures[lacking[0]]
        raise MarketUnavailable(
            f"No prices are cached of {', '.join(lacking[:5])}{' and others' * (len(lacking) > 5)}, and the market "
            f"does not give them ({why}): try again later, or check TIINGO_API_KEY and the sources' addresses."
        )


def _columns(table: PriceTable, tickers: tuple[str, ...]) -> PriceTable:
    """A column for each ticker, without the days on which none has a price."""
    values = np.full((len(table), len(tickers)), np.nan, order="F")
    for position, ticker in enumerate(tickers):
        if ticker in table.tickers:
            values[:, position] = table.column(ticker)
    has_prices = ~np.isnan(values).all(axis=1)
    return PriceTable(table.dates[has_prices], tickers, values[has_prices])
