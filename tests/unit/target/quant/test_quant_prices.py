"""The price table's guarantees."""

from datetime import date

import numpy as np
import pytest

from target.quant.prices import PriceTable
from target.quant.returns import NoPrices, ShortHistory, change_over, clean, clean_prices, daily_returns
from tests.builders.price_tables import random_walk, weekdays


def test_series_of_different_days_are_brought_together():
    table = PriceTable.from_series(
        {"B": {date(2024, 1, 3): 2.0, date(2024, 1, 2): 1.0}, "A": {date(2024, 1, 4): 5.0}, "C": {}}
    )
    assert [str(day) for day in table.dates] == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert table.tickers == ("B", "A", "C")
    np.testing.assert_array_equal(table.values, [[1, np.nan, np.nan], [2, np.nan, np.nan], [np.nan, 5, np.nan]])


@pytest.mark.parametrize(
    ("days", "tickers", "shape", "told"),
    [
        (["2024-01-02", "2024-01-01"], ("A",), (2, 1), "ascend"),
        (["2024-01-01", "2024-01-01"], ("A",), (2, 1), "ascend"),
        (["2024-01-01"], ("A", "A"), (1, 2), "differ"),
        (["2024-01-01"], ("A",), (2, 1), "don't fit"),
        (["2024-01-01"], ("A",), (1, 2), "don't fit"),
    ],
)
def test_parts_that_do_not_fit_are_refused(days: list[str], tickers: tuple[str, ...], shape: tuple, told: str):
    with pytest.raises(ValueError, match=told):
        PriceTable(np.array(days, dtype="datetime64[D]"), tickers, np.ones(shape))


def test_a_table_cannot_be_changed_and_does_not_freeze_what_it_was_made_of():
    values = np.ones((2, 1))
    table = PriceTable(weekdays(2), ("A",), values)
    values[0, 0] = 9
    assert table.values[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        table.values[0, 0] = 2


def test_columns_are_selected_in_the_order_asked_for():
    table = random_walk(5, ["A", "B", "C"])
    assert table.select(["C", "X", "A", "C"]).tickers == ("C", "A")
    np.testing.assert_array_equal(table.select(["B"]).values[:, 0], table.column("B"))
    with pytest.raises(KeyError):
        table.column("X")


def test_both_ends_of_a_period_belong_to_it():
    table = random_walk(10, ["A"])
    first, last = table.dates[2].item(), table.dates[5].item()
    assert table.between(first, last) == PriceTable(table.dates[2:6], ("A",), table.values[2:6])
    assert table.between() == table
    assert len(table.between(last, first)) == 0


def test_equal_tables_have_nan_in_equal_places():
    table = random_walk(20, ["A", "B"], missing=0.3)
    assert table == PriceTable(table.dates, table.tickers, table.values)
    assert table != random_walk(20, ["A", "B"])
    assert table != table.select(["B", "A"])


def test_columns_with_seventy_percent_of_the_days_are_kept():
    table = random_walk(10, ["A", "B", "C"])
    values = table.values.copy()
    values[:3, 1] = np.nan
    values[:4, 2] = np.nan
    assert clean_prices(PriceTable(table.dates, table.tickers, values)).tickers == ("A", "B")


def test_days_without_any_price_are_dropped_after_the_columns():
    values = np.array([[1.0, np.nan], [np.nan, 2.0], [3.0, np.nan], [4.0, np.nan]])
    kept = clean_prices(PriceTable(weekdays(4), ("A", "B"), values))
    assert (kept.tickers, len(kept)) == (("A",), 3)


def test_what_cannot_be_a_price_counts_as_none():
    values = np.array([[1.0, 0.0], [2.0, -3.0], [np.inf, 4.0], [1e13, 1e-10]])
    usable = PriceTable(weekdays(4), ("A", "B"), values).usable()
    np.testing.assert_array_equal(usable.values, [[1, np.nan], [2, np.nan], [np.nan, 4], [np.nan, np.nan]])
    assert usable.usable() == usable


@pytest.mark.parametrize("table", [PriceTable.empty(["A"]), PriceTable(weekdays(3), ("A",), np.full((3, 1), np.nan))])
def test_without_any_price_there_is_nothing_to_compute(table: PriceTable):
    with pytest.raises(NoPrices, match="Failed to fetch price data"):
        clean(table)


def test_a_gap_costs_the_returns_on_both_of_its_sides():
    table = random_walk(6, ["A", "B"])
    values = table.values.copy()
    values[2, 1] = np.nan
    returns = daily_returns(PriceTable(table.dates, table.tickers, values))
    assert [str(day) for day in returns.dates] == [str(table.dates[row]) for row in (1, 4, 5)]
    np.testing.assert_allclose(returns.by_ticker[0], [values[row, 0] / values[row - 1, 0] - 1 for row in (1, 4, 5)])


def test_a_single_return_is_too_short_a_history():
    with pytest.raises(ShortHistory, match="Only 1 of 2 days"):
        daily_returns(random_walk(2, ["A"]))


def test_a_change_needs_its_whole_period():
    table = random_walk(22, ["A"])
    assert change_over(table, 21)[0] == table.values[-1, 0] / table.values[0, 0] - 1
    assert change_over(table, 21, skip=5)[0] == table.values[-6, 0] / table.values[0, 0] - 1
    assert np.isnan(change_over(table, 22)[0])
