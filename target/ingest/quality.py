"""How far a bar is to be trusted.

good     nothing is odd about it
suspect  one of the rules below; it is kept, and whoever computes with it may leave it out
bad      set by people alone: a bar that is plainly wrong cannot be stored (the table's own checks refuse it) and
         is recorded as a rejected row instead

The merge never lowers a flag (see repositories/market_data): clearing one is a decision, made by an UPDATE.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from target.market_data.bars import DailyBar, Source

LARGEST_MOVE = 2.0
"""From one close to the next, both adjusted, so that splits and dividends are no moves: doubled or halved."""
LARGEST_RANGE = 2.0
"""From a day's low to its high."""


class Quality(StrEnum):
    """The words of `market_data.data_quality`, from best to worst."""

    GOOD = "good"
    SUSPECT = "suspect"
    BAD = "bad"


def graded(bars: Iterable[DailyBar]) -> Iterator[tuple[DailyBar, Quality]]:
    """Give each bar of one ticker, by ascending date, its quality. The first has no close before it to be held to."""
    before: DailyBar | None = None
    for bar in bars:
        yield bar, Quality.SUSPECT if _is_odd(bar, before) else Quality.GOOD
        before = bar


def _is_odd(bar: DailyBar, before: DailyBar | None) -> bool:
    if bar.high >= LARGEST_RANGE * bar.low:
        return True
    # Yahoo gives no volume for indices; at Tiingo, a price that moves without a trade is an error.
    if bar.source is Source.TIINGO and bar.volume == 0 and bar.high > bar.low:
        return True
    return before is not None and _moved(_adjusted(before), _adjusted(bar)) >= LARGEST_MOVE


def _adjusted(bar: DailyBar) -> float:
    return bar.adjusted_close or bar.close


def _moved(before: float, after: float) -> float:
    return max(before, after) / min(before, after)
