"""What to ask the market for, and what its answers change in the cache."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from target.market_data.bars import DailyBar, FailureClass, FetchOutcome, Source
from target.quant.prices import PriceTable
from target.storage.coverage import Coverage, Days
from target.storage.price_pair import PricePair
from target.storage.price_writer import Coverages

_GROUPS_AT_ONCE = 4
_SAME_PRICE = 1e-6
"""Relative. A dividend or a split moves adjusted prices by far more, rounding by far less."""
_NOTHING_THERE = frozenset({FailureClass.EMPTY, FailureClass.UNKNOWN_TICKER})
"""Answers, too: there are no prices."""


class Market(Protocol):
    """Where prices come from: `target.market_data.client.MarketDataClient`, or a fake of it."""

    async def fetch_daily(self, tickers: Iterable[str], start: date, end: date) -> FetchOutcome:
        """Return the bars of the days from `start` to `end`, both included, by ticker, or why there are none."""


@dataclass(slots=True, kw_only=True)
class Fetched:
    """Answers that were collected, and their failures."""

    bars: dict[str, tuple[DailyBar, ...]] = field(default_factory=dict)
    asked: dict[str, Days] = field(default_factory=dict)
    """The days that were answered, by ticker; tickers without any prices too."""
    failures: dict[str, FailureClass] = field(default_factory=dict)

    def applied(self, pair: PricePair, coverage: Coverages, now: datetime) -> tuple[PricePair, Coverages]:
        """Return what is stored with the answers in it; nothing of other tickers or days is lost."""
        covered = dict(coverage)
        for ticker, days in self.asked.items():
            bars = self.bars.get(ticker, ())
            answer = Coverage.of_answer(days, bars[-1].date if bars else None, now)
            covered[ticker] = answer.joined(covered[ticker]) if ticker in covered else answer
        return pair.merged(pair_of(self.bars), self.asked), covered


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Days to ask for. Where they add to known ones, `anchor` is one of those: its price tells whether both fit."""

    days: Days
    anchor: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is cached, and what was asked for it."""

    pair: PricePair
    coverage: Coverages


def question_for(ticker: str, wanted: Days, known: Known, now: datetime, *, is_forced: bool) -> Question | None:
    """Return what to ask so that the wanted days are there and fit the known ones; None if nothing is missing."""
    covered = known.coverage.get(ticker)
    if covered is None:
        return Question(days=wanted)
    missing = _hull(covered, wanted) if is_forced else covered.missing(wanted, now)
    if missing is None:
        return None
    if missing.first <= covered.first and missing.last >= covered.last:
        return Question(days=missing)
    priced = known.pair.priced_days(ticker, until=covered.last)
    if priced is None:
        return Question(days=missing)
    anchor = priced[0] if missing.first < covered.first else priced[1]
    return Question(days=Days(min(missing.first, anchor), max(missing.last, anchor)), anchor=anchor)


async def fetch_all(market: Market, questions: Mapping[str, Question], known: Known) -> Fetched:
    """Ask; where an anchor comes back with another price, ask for all of the ticker's days once more.

    Adjusted prices change as a whole with every dividend, so what was asked on two days may be on two scales.
    """
    fetched = await _fetch(market, {ticker: question.days for ticker, question in questions.items()})
    rescaled = [ticker for ticker in fetched.bars if _is_rescaled(ticker, questions[ticker], fetched, known)]
    if rescaled:
        whole = {ticker: _hull(known.coverage[ticker], questions[ticker].days) for ticker in rescaled}
        again = await _fetch(market, whole)
        for ticker in rescaled:  # a piece on another scale is of no use without the rest
            del fetched.bars[ticker], fetched.asked[ticker]
        fetched.bars |= again.bars
        fetched.asked |= again.asked
        fetched.failures |= again.failures
    return fetched


def pair_of(bars: Mapping[str, tuple[DailyBar, ...]]) -> PricePair:
    """Return adjusted closes and opens, as the legacy's loaders cache them. Source: contract section 5."""
    closes = {ticker: {bar.date: _adjusted_close(bar) for bar in bars[ticker]} for ticker in sorted(bars)}
    opens = {ticker: {bar.date: _adjusted_open(bar) for bar in bars[ticker]} for ticker in sorted(bars)}
    return PricePair(close=PriceTable.from_series(closes), open=PriceTable.from_series(opens))


async def _fetch(market: Market, wanted: Mapping[str, Days]) -> Fetched:
    groups: dict[Days, list[str]] = {}
    for ticker, days in wanted.items():
        groups.setdefault(days, []).append(ticker)
    fetched, turn = Fetched(), asyncio.Semaphore(_GROUPS_AT_ONCE)

    async def fetch_group(days: Days, tickers: list[str]) -> None:
        async with turn:
            outcome = await market.fetch_daily(tickers, days.first, days.last)
        nothing = {ticker for ticker, failure in outcome.failures.items() if failure in _NOTHING_THERE}
        fetched.bars.update(outcome.bars)
        fetched.failures.update(outcome.failures)
        fetched.asked.update(dict.fromkeys(outcome.bars.keys() | nothing, days))

    async with asyncio.TaskGroup() as group:
        for days, tickers in groups.items():
            group.create_task(fetch_group(days, tickers))
    return fetched


def _hull(covered: Coverage, days: Days) -> Days:
    return Days(min(covered.first, days.first), max(covered.last, days.last))


def _is_rescaled(ticker: str, question: Question, fetched: Fetched, known: Known) -> bool:
    if question.anchor is None:
        return False
    answered = next((bar for bar in fetched.bars[ticker] if bar.date == question.anchor), None)
    if answered is None:
        return True
    (before,) = known.pair.close.between(question.anchor, question.anchor).column(ticker)
    return not math.isclose(_adjusted_close(answered), float(before), rel_tol=_SAME_PRICE)


def _adjusted_close(bar: DailyBar) -> float:
    return bar.close if bar.adjusted_close is None else bar.adjusted_close


def _adjusted_open(bar: DailyBar) -> float:
    if bar.adjusted_open is not None and bar.source is Source.TIINGO:
        return bar.adjusted_open
    # Not Yahoo's rounded one: the legacy multiplies by the close's own factor and rounds nothing.
    return bar.open * _adjusted_close(bar) / bar.close
