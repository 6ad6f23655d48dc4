"""What is kept of a fetch: rounding, quality, failures."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from target.ingest.collected import Collected
from target.ingest.quality import Quality, graded
from target.market_data.bars import DailyBar, FailureClass, RejectedRow, Source, TickerOutcome

DAY = date(2026, 1, 5)
BAR = DailyBar(DAY, 10.0, 11.0, 9.0, 10.0, 100, 10.0, 10.0, Source.TIINGO)


def bars(*changes: dict[str, Any]) -> list[DailyBar]:
    return [BAR._replace(date=DAY + timedelta(days=number), **change) for number, change in enumerate(changes)]


def qualities(*changes: dict[str, Any]) -> list[str]:
    return [quality.value for _, quality in graded(bars(*changes))]


@pytest.mark.parametrize("close", [20.0, 5.0])
def test_a_close_that_doubles_or_halves_is_suspect_and_the_next_is_held_to_it(close: float):
    assert qualities({}, {"adjusted_close": close}, {"adjusted_close": close}) == ["good", "suspect", "good"]


@pytest.mark.parametrize("close", [19.99, 5.01])
def test_a_smaller_move_is_good(close: float):
    assert qualities({}, {"adjusted_close": close}) == ["good", "good"]


def test_a_split_is_no_move():
    halved = {"open": 5.0, "high": 5.5, "low": 4.5, "close": 5.0, "adjusted_close": 10.0}
    assert qualities({}, halved) == ["good", "good"]


def test_without_an_adjusted_close_the_close_is_held_to_account():
    assert qualities({"adjusted_close": None}, {"adjusted_close": None, "close": 4.0}) == ["good", "suspect"]


def test_a_day_that_doubles_within_itself_is_suspect():
    assert qualities({"high": 18.0}, {"high": 17.9}) == ["suspect", "good"]


def test_a_move_without_a_trade_is_suspect_at_tiingo_alone():
    assert qualities({"volume": 0}, {"volume": 0, "source": Source.YFINANCE}) == ["suspect", "good"]
    assert qualities({"volume": 0, "high": 9.0, "open": 9.0, "close": 9.0, "adjusted_close": 9.0}) == ["good"]


def test_prices_are_rounded_as_they_were_written_half_away_from_zero():
    collected = Collected()
    # As binary fractions these lie below and above the half; as the source wrote them, both are halves.
    bar = BAR._replace(open=10.00005, high=11.00015, adjusted_close=None)
    collected.add(TickerOutcome(ticker="SPY", bars=(bar,)))
    (row,) = collected.rows
    assert (row.open, row.high) == (Decimal("10.0001"), Decimal("11.0002"))
    assert row.adjusted_close == Decimal("10.0000")  # the close stands in for it
    assert (row.ticker, row.source, row.data_quality) == ("SPY", "tiingo", Quality.GOOD)


def test_failures_and_rejected_rows_are_kept_apart():
    collected = Collected()
    rejected = RejectedRow(DAY, "close is missing")
    collected.add(TickerOutcome(ticker="SPY", bars=(BAR,), rejected=(rejected,)))
    collected.add(TickerOutcome(ticker="BAD", failure=FailureClass.MALFORMED, rejected=(rejected,)))
    collected.add(TickerOutcome(ticker="SLOW", failure=FailureClass.TIMEOUT))
    assert (collected.successful, list(collected.failed), collected.rejected_rows) == (1, ["BAD", "SLOW"], 2)
    assert collected.retryable() == ("SLOW",)
    assert [tuple(failure) for failure in collected.failures] == [
        ("SPY", DAY, "rejected_row", "close is missing"),
        ("BAD", DAY, "rejected_row", "close is missing"),
        ("BAD", None, "malformed", None),
        ("SLOW", None, "timeout", None),
    ]
