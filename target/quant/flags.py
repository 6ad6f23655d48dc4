"""The high tight flag: a strong run, then a rest near its high. Every figure is described in docs/formulas.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from target.quant.prices import Floats, PriceTable

RUN_DAYS = 25
FLAG_DAYS = 25
REST_DAYS = 10
STRENGTH_DAYS = 63
RANGE_DAYS = 20
LEAST_GAIN = 0.25
MOST_PULLBACK = 0.25
LEAST_RANGE = 0.03
"""Average daily range, as a ratio, from which a stock moves enough to be worth it."""

_BUY_ABOVE, _WATCH_ABOVE = 70, 40
_FULL_GAIN, _LOOSE_REST = 1.0, 0.20
_POINTS = {"gain": 30.0, "rest": 20.0, "pullback": 15.0, "strength": 20.0, "range": 15.0}


class Signal(StrEnum):
    """What a score suggests."""

    BUY = "BUY"
    WATCH = "WATCH"
    HOLD = "HOLD"


class Pattern(StrEnum):
    """What the last weeks look like."""

    HIGH_TIGHT_FLAG = "High Tight Flag"
    CONSOLIDATION = "Consolidation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLimits:
    """What is looked at: last prices from `min_price` to `max_price`, last volume of at least `min_volume`."""

    min_price: float = 5.0
    max_price: float = 500.0
    min_volume: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanData:
    """Prices by day, and of the same tickers what else is known; the other tables may lack days and columns."""

    closes: PriceTable
    highs: PriceTable | None = None
    lows: PriceTable | None = None
    volumes: PriceTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One ticker; `score` is from 0 to 100, `rs_rank` from 1 to 100, `volume` None where it is not known."""

    ticker: str
    price: float
    change_pct: float
    volume: int | None
    adr_pct: float
    rs_rank: int
    score: float
    signal: Signal
    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """The shape of one ticker's last weeks, as ratios: the run, how far it fell back, how wide it rests.

    `is_quiet` says whether less is traded while it rests than before; None where volumes are not known.
    """

    gain: float
    pullback: float
    rest: float
    is_quiet: bool | None = None

    @property
    def is_high_and_tight(self) -> bool:
        """True where the contract's criteria hold: a gain of 25 %, no deeper a pullback, and less volume."""
        return self.gain >= LEAST_GAIN and self.pullback <= MOST_PULLBACK and self.is_quiet is not False


def scan_flags(data: ScanData, limits: ScanLimits) -> list[Finding]:
    """Return the tickers within the limits, best score first; among equals, in the order of the columns.

    A ticker with less than 64 prices is left out; one whose volume is not known passes the limit on volume. Ranks of
    strength are among all tickers that have enough prices, whatever the limits.
    """
    closes = {ticker: _known(data.closes.column(ticker)) for ticker in data.closes.tickers}
    closes = {ticker: prices for ticker, prices in closes.items() if len(prices) > STRENGTH_DAYS}
    ranks = strength_ranks([float(prices[-1] / prices[-1 - STRENGTH_DAYS]) for prices in closes.values()])
    findings = [_find(ticker, prices, rank, data) for (ticker, prices), rank in zip(closes.items(), ranks, strict=True)]
    kept = [finding for finding in findings if _is_within(finding, limits)]
    return sorted(kept, key=lambda finding: -finding.score)


def strength_ranks(gains: Sequence[float]) -> list[int]:
    """Return each gain's place from 1 (weakest) to 100 (strongest); equal gains share the lower place."""
    if len(gains) < 2:
        return [100] * len(gains)
    ascending = np.sort(gains)
    places = np.searchsorted(ascending, gains, side="left") / (len(gains) - 1)
    return [int(place) for place in np.rint(1 + 99 * places)]


def measure_flag(prices: Floats, volumes: Floats) -> Flag:
    """Return the shape of the last 50 closes: the high of the last 25 against the low of the 25 before that high.

    `volumes` are as many of the last days' as are known.
    """
    top = len(prices) - FLAG_DAYS + int(prices[-FLAG_DAYS:].argmax())
    before = prices[max(0, top - RUN_DAYS) : top + 1]
    recent = prices[-REST_DAYS:]
    return Flag(
        gain=float(prices[top] / before.min() - 1),
        pullback=float(1 - prices[top:].min() / prices[top]),
        rest=float(recent.max() / recent.min() - 1),
        is_quiet=_is_quiet(volumes),
    )


def score_flag(flag: Flag, strength_rank: int, daily_range: float) -> float:
    """Return 0 to 100: each part of the figure earns its points in proportion, up to its own limit."""
    shares = {
        "gain": flag.gain / _FULL_GAIN,
        "rest": 1 - flag.rest / _LOOSE_REST,
        "pullback": 1 - flag.pullback / MOST_PULLBACK,
        "strength": strength_rank / 100,
        "range": daily_range / LEAST_RANGE,
    }
    return sum(points * min(max(shares[part], 0.0), 1.0) for part, points in _POINTS.items())


def _find(ticker: str, prices: Floats, rank: int, data: ScanData) -> Finding:
    volumes = _column(ticker, data.volumes)
    flag, daily_range = measure_flag(prices, volumes), _daily_range(ticker, prices, data)
    score = score_flag(flag, rank, daily_range)
    return Finding(
        ticker=ticker,
        price=round(float(prices[-1]), 2),
        change_pct=round(float(prices[-1] / prices[-2] - 1) * 100, 2),
        volume=int(volumes[-1]) if len(volumes) else None,
        adr_pct=round(daily_range * 100, 1),
        rs_rank=rank,
        score=round(score, 1),
        signal=Signal.BUY if score > _BUY_ABOVE else Signal.WATCH if score > _WATCH_ABOVE else Signal.HOLD,
        pattern=Pattern.HIGH_TIGHT_FLAG if flag.is_high_and_tight else Pattern.CONSOLIDATION,
    )


def _daily_range(ticker: str, prices: Floats, data: ScanData) -> float:
    """Return the mean of high / low - 1 of the last 20 days; of the change between closes where those are not known."""
    highs, lows = _column(ticker, data.highs), _column(ticker, data.lows)
    if len(highs) == len(lows) >= RANGE_DAYS:
        return float((highs[-RANGE_DAYS:] / lows[-RANGE_DAYS:] - 1).mean())
    recent = prices[-RANGE_DAYS - 1 :]
    return float(np.abs(recent[1:] / recent[:-1] - 1).mean())


def _is_quiet(volumes: Floats) -> bool | None:
    if len(volumes) < RUN_DAYS + REST_DAYS:
        return None
    rest, before = volumes[-REST_DAYS:], volumes[-RUN_DAYS - REST_DAYS : -REST_DAYS]
    return bool(rest.mean() < before.mean())


def _is_within(finding: Finding, limits: ScanLimits) -> bool:
    is_traded = finding.volume is None or finding.volume >= limits.min_volume
    return is_traded and limits.min_price <= finding.price <= limits.max_price


def _column(ticker: str, table: PriceTable | None) -> Floats:
    return _known(table.column(ticker)) if table is not None and ticker in table.tickers else np.empty(0)


def _known(column: Floats) -> Floats:
    known: Floats = column[~np.isnan(column)]
    return known
