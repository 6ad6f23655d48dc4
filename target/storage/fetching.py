"""What to ask the market for, and what its answers change in the cache."""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is cached, and what was asked for it."""

    pair: PricePair
    coverage: Coverages


class Question(NamedTuple):
    """Days of one ticker. Where they add to known ones, `anchor` is one of those: its price tells whether both fit."""

    ticker: str
    days: Days
    anchor: date | None = None


@dataclass(slots=True, kw_only=True)
class Fetched:
    """Answers, by ticker in the order of their days, and why questions have none."""

    asked: dict[str, list[Days]] = field(default_factory=dict)
    """The days that were answered; also where the answer is that there are no prices."""
    bars: dict[str, list[DailyBar]] = field(default_factory=dict)
    failures: dict[str, FailureClass] = field(default_factory=dict)

    def applied(self, pair: PricePair, coverage: Coverages, now: datetime) -> tuple[PricePair, Coverages]:
        """Return what is stored with the answers in it; nothing of other tickers or days is lost."""
        covered = dict(coverage)
        for ticker, stretches in self.asked.items():
            for days in stretches:
                priced = [bar.date for bar in self.bars.get(ticker, ()) if days.first <= bar.date <= days.last]
                answer = Coverage.of_answer(days, max(priced, default=None), now)
                covered[ticker] = answer.joined(covered[ticker]) if ticker in covered else answer
        return pair.merged(pair_of(self.bars), self.asked), covered

    def forget(self, ticker: str) -> None:
        """Drop a ticker's answers."""
        del self.asked[ticker], self.bars[ticker]


def questions_for(ticker: str, wanted: Days, known: Known, now: datetime, *, is_forced: bool) -> list[Question]:
    """Return what to ask so that the wanted days are there and fit the known ones; nothing if none is missing."""
    covered = known.coverage.get(ticker)
    if covered is None:
        return [Question(ticker, wanted)]
    if is_forced:
        return [Question(ticker, _hull(covered, wanted))]
    priced = known.pair.priced_days(ticker, until=covered.last)
    return [_anchored(ticker, days, priced) for days in covered.missing(wanted, now)]


async def fetch_all(market: Market, questions: Sequence[Question], known: Known) -> Fetched:
    """Ask; where an anchor comes back with another price, ask for all of the ticker's days once more.

    Adjusted prices change as a whole with every dividend, so what was asked on two days may be on two scales.
    """
    fetched = await _fetch(market, questions)
    rescaled = {each.ticker for each in questions if _is_rescaled(each, fetched, known)}
    if rescaled:
        whole = {each.ticker: _hull(known.coverage[each.ticker], each.days) for each in questions}
        again = await _fetch(market, [Question(ticker, whole[ticker]) for ticker in whole if ticker in rescaled])
        for ticker in rescaled:  # a piece on another scale is of no use without the rest
            fetched.forget(ticker)
        fetched.bars |= again.bars
        fetched.asked |= again.asked
        fetched.failures |= again.failures
    return fetched


def pair_of(bars: Mapping[str, Sequence[DailyBar]]) -> PricePair:
    """Return adjusted closes and opens, as the legacy's loaders cache them. Source: contract section 5."""
    closes = {ticker: {bar.date: _adjusted_close(bar) for bar in bars[ticker]} for ticker in sorted(bars)}
    opens = {ticker: {bar.date: _adjusted_open(bar) for bar in bars[ticker]} for ticker in sorted(bars)}
    return PricePair(close=PriceTable.from_series(closes), open=PriceTable.from_series(opens))


async def _fetch(market: Market, questions: Sequence[Question]) -> Fetched:
    groups: dict[Days, list[str]] = {}
    for question in sorted(questions, key=lambda each: each.days):
        groups.setdefault(question.days, []).append(question.ticker)
    turn = asyncio.Semaphore(_GROUPS_AT_ONCE)

    async def fetch_group(days: Days, tickers: Sequence[str]) -> FetchOutcome:
        async with turn:
            return await market.fetch_daily(tickers, days.first, days.last)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetch_group(days, tickers)) for days, tickers in groups.items()]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    fetched = Fetched()
    for days, task in zip(groups, tasks, strict=True):
        _collect(fetched, days, task.result())
    return fetched


def _collect(fetched: Fetched, days: Days, outcome: FetchOutcome) -> None:
    fetched.failures.update(outcome.failures)
    nothing = (ticker for ticker, failure in outcome.failures.items() if failure in _NOTHING_THERE)
    for ticker in (*outcome.bars, *nothing):
        fetched.asked.setdefault(ticker, []).append(days)
    for ticker, bars in outcome.bars.items():
        fetched.bars.setdefault(ticker, []).extend(bars)


def _anchored(ticker: str, days: Days, priced: tuple[date, date] | None) -> Question:
    """The days together with the nearest one whose price is known and final."""
    if priced is None:
        return Question(ticker, days)
    anchor = priced[0] if days.first < priced[0] else priced[1]
    return Question(ticker, Days(min(days.first, anchor), max(days.last, anchor)), anchor)


def _hull(covered: Coverage, days: Days) -> Days:
    return Days(min(covered.first, days.first), max(covered.last, days.last))


def _is_rescaled(question: Question, fetched: Fetched, known: Known) -> bool:
    ticker, anchor = question.ticker, question.anchor
    if anchor is None or ticker not in fetched.bars:
        return False
    answered = next((bar for bar in fetched.bars[ticker] if bar.date == anchor), None)
    if answered is None:
        return True
    (before,) = known.pair.close.between(anchor, anchor).column(ticker)
    return not math.isclose(_adjusted_close(answered), float(before), rel_tol=_SAME_PRICE)


def _adjusted_close(bar: DailyBar) -> float:
    return bar.close if bar.adjusted_close is None else bar.adjusted_close


def _adjusted_open(bar: DailyBar) -> float:
    if bar.adjusted_open is not None and bar.source is Source.TIINGO:
        return bar.adjusted_open
    # Not Yahoo's rounded one: the legacy multiplies by the close's own factor and rounds nothing.
    return bar.open * _adjusted_close(bar) / bar.close
