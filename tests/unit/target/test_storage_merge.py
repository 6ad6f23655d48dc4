"""Laws of merging price tables, and of pairs of them."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from target.quant.prices import PriceTable
from target.storage.coverage import Days
from target.storage.price_field import PriceField
from target.storage.price_pair import PricePair, merge_tables

TICKERS = ("AAPL", "BHP.AX", "SPY", "^VIX")
FIRST = np.datetime64("2026-01-05", "D")
ALL_DAYS = Days(date(2026, 1, 1), date(2026, 12, 31))


@st.composite
def tables(draw: st.DrawFn) -> PriceTable:
    tickers = draw(st.lists(st.sampled_from(TICKERS), unique=True))
    offsets = sorted(draw(st.lists(st.integers(0, 12), unique=True)))
    prices = st.one_of(st.just(float("nan")), st.floats(0.01, 1e6))
    values = draw(arrays.arrays(np.float64, (len(offsets), len(tickers)), elements=prices))
    return PriceTable(FIRST + np.array(offsets, dtype="timedelta64[D]"), tuple(tickers), values)


def cells(table: PriceTable) -> dict[tuple[str, str], float]:
    """Every price by ticker and day."""
    return {
        (ticker, str(table.dates[row])): float(table.values[row, column])
        for column, ticker in enumerate(table.tickers)
        for row in range(len(table))
        if not np.isnan(table.values[row, column])
    }


@given(tables(), tables())
def test_every_price_of_both_is_there_and_the_newer_one_counts(older: PriceTable, newer: PriceTable) -> None:
    merged = merge_tables(older, newer, {})
    assert cells(merged) == cells(older) | cells(newer)
    assert set(merged.dates) == {*older.dates, *newer.dates}
    assert merged.tickers == tuple(sorted({*older.tickers, *newer.tickers}))


@given(tables(), tables())
def test_merging_a_second_time_changes_nothing(older: PriceTable, newer: PriceTable) -> None:
    once = merge_tables(older, newer, {})
    assert merge_tables(once, newer, {}) == once


@given(tables(), tables(), tables())
def test_grouping_does_not_matter(first: PriceTable, second: PriceTable, third: PriceTable) -> None:
    left = merge_tables(merge_tables(first, second, {}), third, {})
    assert left == merge_tables(first, merge_tables(second, third, {}), {})


@given(tables(), tables(), st.sampled_from(TICKERS))
def test_only_the_answered_tickers_days_give_way(older: PriceTable, newer: PriceTable, ticker: str) -> None:
    asked = {ticker: [Days(date(2026, 1, 7), date(2026, 1, 8)), Days(date(2026, 1, 9), date(2026, 1, 9))]}
    merged = cells(merge_tables(older, newer, asked))
    for cell, price in cells(older).items():
        gives_way = cell[0] == ticker in newer.tickers and "2026-01-07" <= cell[1] <= "2026-01-09"
        assert gives_way or cell in cells(newer) or merged[cell] == price
    assert {cell: merged[cell] for cell in cells(newer)} == cells(newer)


def test_an_answer_without_a_price_removes_one_that_the_market_took_back() -> None:
    older = PriceTable.from_series({"SPY": {date(2026, 1, 5): 1.0, date(2026, 1, 6): 2.0}})
    newer = PriceTable.from_series({"SPY": {date(2026, 1, 5): 1.5}})
    assert cells(merge_tables(older, newer, {"SPY": [ALL_DAYS]})) == {("SPY", "2026-01-05"): 1.5}


@given(tables(), tables())
def test_a_pair_has_one_shape_and_loses_nothing(close: PriceTable, opened: PriceTable) -> None:
    pair = PricePair.of({PriceField.CLOSE: close, PriceField.OPEN: opened})
    assert set(pair.close.tickers) == set(pair.open.tickers)
    assert np.array_equal(pair.close.dates, pair.open.dates)
    assert (cells(pair.close), cells(pair.open)) == (cells(close), cells(opened))


def test_priced_days_are_those_with_both_prices() -> None:
    close = PriceTable.from_series({"SPY": {date(2026, 1, 5): 1.0, date(2026, 1, 6): 2.0, date(2026, 1, 7): 2.0}})
    opened = PriceTable.from_series({"SPY": {date(2026, 1, 6): 1.0, date(2026, 1, 7): 2.0}})
    pair = PricePair.of({PriceField.CLOSE: close, PriceField.OPEN: opened})
    assert pair.priced_days("SPY") == (date(2026, 1, 6), date(2026, 1, 7))
    assert pair.priced_days("SPY", until=date(2026, 1, 6)) == (date(2026, 1, 6), date(2026, 1, 6))
    assert pair.priced_days("SPY", until=date(2026, 1, 5)) is None
    assert pair.priced_days("QQQ") is None
