"""The prices themselves: one seeded stream of random numbers a ticker, drawn over the whole horizon at once.

Deterministic: the same seed, ticker and day give the same raw prices on every machine and whatever else is asked.
RandomState is used because NumPy promises never to change its streams.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import NDArray

from legacy_adapter.market.listings import Kind, Listing, Region
from legacy_adapter.market.trading_days import Days, trading_days

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_YEAR = 252
_FACTOR_VOLATILITY = 0.009
_RATIOS = (2.0, 3.0, 4.0, 5.0, 10.0, 0.1)
_CENT_PLACES = {Region.US: 2, Region.AU: 3}
_NULL_TICKERS, _NULL_DAYS = 0.25, 0.004
_HALTED_TICKERS, _LONGEST_HALT = 0.15, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Temper:
    """How a kind moves: yearly drift, share of the common factor, daily volatility of its own, usual price."""

    drift: float
    beta: float
    volatility: float
    price: float


_TEMPERS = {
    Kind.EQUITY: _Temper(drift=0.07, beta=1.0, volatility=0.016, price=60.0),
    Kind.FUND: _Temper(drift=0.06, beta=0.95, volatility=0.004, price=80.0),
    Kind.BOND: _Temper(drift=0.025, beta=-0.1, volatility=0.003, price=95.0),
    Kind.INDEX: _Temper(drift=0.06, beta=1.0, volatility=0.002, price=1500.0),
    Kind.CRYPTO: _Temper(drift=0.25, beta=1.2, volatility=0.035, price=400.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Raw daily prices, oldest first. On a null day all prices are NaN: the exchange traded, the source knows nothing.

    `split` is new shares per old share from that day on, 1 on ordinary days; `dividend` is cash per share of that day.
    """

    days: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    dividend: Floats
    split: Floats

    @property
    def split_factor(self) -> Floats:
        """What a raw price is multiplied with to be in shares of the last day."""
        return _later(1.0 / self.split)

    @property
    def full_factor(self) -> Floats:
        """As `split_factor`, dividends taken out too: close times this is the adjusted close."""
        before = _last_known(self.close)
        cut = np.where(self.dividend > 0, 1.0 - self.dividend / before, 1.0)
        return _later(cut / self.split)

    def cut(self, rows: slice | Flags) -> "History":
        """Some of its days; factors of the whole are no longer those of the part."""
        return History(**{name: getattr(self, name)[rows] for name in self.__slots__})


def generate_history(listing: Listing, *, seed: int, last_day: date) -> History:
    """Every day on which the ticker traded, up to `last_day`; a few milliseconds a ticker."""
    random = _stream(seed, listing.ticker)
    whole = _draw(listing, random, _factor(seed, listing.region))
    days = whole.days
    shown = days <= np.datetime64(last_day)
    if listing.first_on is not None:
        shown &= days >= np.datetime64(listing.first_on)
    if listing.last_on is not None:
        shown &= days <= np.datetime64(listing.last_on)
    # A halt never hides a split or a dividend: the prices after it would not explain themselves.
    shown &= ~_halts(random, len(days)) | (whole.split != 1) | (whole.dividend > 0)
    return whole.cut(shown)


def _draw(listing: Listing, random: np.random.RandomState, factor: Floats) -> History:
    temper, days = _TEMPERS[listing.kind], trading_days(listing.region)
    size = len(days)
    character = random.uniform(size=3)
    returns = temper.drift * (0.5 + character[0]) / _YEAR + temper.beta * (0.6 + 0.8 * character[1]) * factor
    returns += temper.volatility * (0.6 + 0.8 * character[2]) * random.standard_normal(size)
    start = temper.price * np.exp(0.5 * random.standard_normal())
    split = _splits(listing.kind, random, size)
    close = start * np.exp(np.cumsum(returns)) / np.cumprod(split)
    before = np.concatenate(([start], close[:-1])) / split
    opened = before * np.exp(0.35 * returns + 0.003 * random.standard_normal(size))
    reach = np.abs(0.006 * random.standard_normal((2, size)))
    high, low = np.maximum(opened, close) * (1 + reach[0]), np.minimum(opened, close) * (1 - reach[1])
    volume = np.round(np.exp(13.5 + 0.6 * random.standard_normal(size)) * np.cumprod(split))
    dividend = np.where(split == 1, _dividends(listing, random, before), 0.0)
    is_null = _nulls(random, size) & (split == 1) & (dividend == 0)
    prices = (_ticks(each, listing.region, is_null) for each in (opened, high, low, close))
    opened, high, low, close = prices
    volume = np.where(is_null, np.nan, volume)
    return History(
        days=days, open=opened, high=high, low=low, close=close, volume=volume, dividend=dividend, split=split
    )


def _stream(seed: int, name: str) -> np.random.RandomState:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.RandomState(int.from_bytes(digest[:4], "big"))


@cache
def _factor(seed: int, region: Region) -> Floats:
    """What moves a whole exchange; the two share half of it, day by day. Shared, so not to be written to."""
    size = len(trading_days(region))
    world = _stream(seed, "world").standard_normal(2 * size)[:size]
    own = _stream(seed, f"market {region}").standard_normal(size)
    factor: Floats = _FACTOR_VOLATILITY * (world + own) / np.sqrt(2)
    factor.flags.writeable = False
    return factor


def _splits(kind: Kind, random: np.random.RandomState, size: int) -> Floats:
    count, places, ratios = random.randint(0, 4), random.randint(_YEAR, size, 3), random.randint(0, len(_RATIOS), 3)
    split = np.ones(size)
    if kind in {Kind.EQUITY, Kind.FUND}:
        split[places[:count]] = [_RATIOS[ratio] for ratio in ratios[:count]]
    return split


def _dividends(listing: Listing, random: np.random.RandomState, before: Floats) -> Floats:
    is_payer, offset, yearly = random.uniform() < 0.7, random.randint(0, 63), random.uniform(0.01, 0.045)
    every = 63 if listing.region is Region.US else 126
    dividend = np.zeros(len(before))
    if listing.kind in {Kind.FUND, Kind.BOND} or (listing.kind is Kind.EQUITY and is_payer):
        paid = slice(_YEAR + offset, None, every)
        dividend[paid] = np.round(before[paid] * yearly * every / _YEAR, 4)
    return dividend


def _nulls(random: np.random.RandomState, size: int) -> Flags:
    has_any, drawn = random.uniform() < _NULL_TICKERS, random.uniform(size=size)
    null: Flags = (drawn < _NULL_DAYS) & has_any
    return null


def _halts(random: np.random.RandomState, size: int) -> Flags:
    """Suspended from trading: no row at all, days to weeks long."""
    has_any, starts = random.uniform() < _HALTED_TICKERS, random.randint(_YEAR, size, 4)
    lengths = random.randint(3, _LONGEST_HALT + 1, 4)
    halted = np.zeros(size, dtype=np.bool_)
    if has_any:
        for start, length in zip(starts, lengths, strict=True):
            halted[start : start + length] = True
    return halted


def _ticks(prices: Floats, region: Region, is_null: Flags) -> Floats:
    places = _CENT_PLACES[region]
    rounded = np.maximum(np.round(prices, places), 10.0**-places)
    return np.where(is_null, np.nan, rounded)


def _later(steps: Floats) -> Floats:
    """For each day the product of the steps after it."""
    products = np.ones(len(steps))
    if len(steps) > 1:
        products[:-1] = np.cumprod(steps[:0:-1])[::-1]
    return products


def _last_known(close: Floats) -> Floats:
    """For each day the latest close before it; the day's own where there is none."""
    known = np.where(np.isnan(close), -1, np.arange(len(close)))
    latest = np.concatenate(([0], np.maximum.accumulate(known)[:-1])).clip(0) if len(close) else known
    found: Floats = close[latest]
    return found
