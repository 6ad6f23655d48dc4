"""Scanning many tickers for high tight flags. Described in docs/formulas.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from target.quant.flags import measure_flag, score_flag
from target.quant.prices import Floats, PriceTable

STRENGTH_DAYS = 63
RANGE_DAYS = 20

_BUY_ABOVE, _WATCH_ABOVE = 70, 40


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


def scan_flags(data: ScanData, limits: ScanLimits) -> list[Finding]:
    """Return the tickers within the limits, best score first; among equals, in the order of the columns.

    A ticker with less than 64 prices is left out; one whose volume is not known passes the limit on volume. Ranks of
    strength are among all tickers that have enough prices, whatever the limits.
    """
    usable = data.closes.usable()
    closes = {ticker: _known(usable.column(ticker)) for ticker in usable.tickers}
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


def _is_within(finding: Finding, limits: ScanLimits) -> bool:
    is_traded = finding.volume is None or finding.volume >= limits.min_volume
    return is_traded and limits.min_price <= finding.price <= limits.max_price


def _column(ticker: str, table: PriceTable | None) -> Floats:
    return _known(table.column(ticker)) if table is not None and ticker in table.tickers else np.empty(0)


def _known(column: Floats) -> Floats:
    known: Floats = column[~np.isnan(column)]
    return known
