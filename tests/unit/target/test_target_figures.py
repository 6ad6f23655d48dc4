"""Profit, portfolio totals and windows."""

import math
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target.services.metrics import (
    TickerTotals,
    TradeFigures,
    compute_by_ticker,
    compute_portfolio,
    pnl_since,
    sum_in_order,
    windows_at,
)
from target.services.pnl import Position, compute_pnl

prices = st.floats(min_value=0.01, max_value=1e6)


def figures(status: str, pnl: float | None = None, entered: int = 1, price: float = 1.0) -> TradeFigures:
    return TradeFigures(status, pnl, 2.0, price, datetime(2024, 1, entered))


@pytest.mark.parametrize(
    ("direction", "exit_price", "commission", "amount", "percent"),
    [("BUY", 465.25, 3.0, 144.5, 3.2741398446170926), ("SELL", 400.0, 0.0, 505.0, 11.20976692563818)],
)
def test_the_contracts_worked_examples(direction, exit_price, commission, amount, percent):
    pnl = compute_pnl(
        Position(direction=direction, quantity=10, entry_price=450.5, exit_price=exit_price, commission=commission)
    )
    assert (pnl.amount, pnl.percent) == (amount, percent)


@given(prices, prices, prices)
def test_buying_and_selling_mirror_each_other(quantity: float, entry: float, leave: float):
    def trade(direction: str):
        return compute_pnl(
            Position(direction=direction, quantity=quantity, entry_price=entry, exit_price=leave, commission=0)
        )

    assert trade("BUY").amount == -trade("SELL").amount
    assert trade("BUY").percent == -trade("SELL").percent


def test_sums_are_plain_double_precision_whatever_the_python():
    values = [0.1] * 10
    assert sum_in_order(values) == 0.9999999999999999
    assert math.fsum(values) == 1.0


def test_a_closed_trade_without_profit_counts_for_the_average_alone():
    portfolio = compute_portfolio([figures("CLOSED", 9.0), figures("CLOSED"), figures("CANCELLED", 5.0)], 100.0)
    assert (portfolio.total_trades, portfolio.winning_trades, portfolio.losing_trades) == (3, 1, 0)
    assert (portfolio.win_rate, portfolio.total_pnl, portfolio.avg_pnl_per_trade) == (100.0, 9.0, 4.5)


def test_breaking_even_is_a_loss():
    portfolio = compute_portfolio([figures("CLOSED", 0.0), figures("CLOSED", -1.0)], 100.0)
    assert (portfolio.winning_trades, portfolio.losing_trades) == (0, 2)
    assert (portfolio.best_trade, portfolio.worst_trade) == (0.0, -1.0)


def test_the_cost_of_open_trades_is_added_latest_entry_first():
    prices_by_day = {1: 0.1, 2: 0.2, 3: 0.3}
    trades = [figures("OPEN", entered=day, price=price / 2) for day, price in prices_by_day.items()]
    assert compute_portfolio(trades, 1.0).invested_value == (0.3 + 0.2) + 0.1
    assert (0.3 + 0.2) + 0.1 != (0.1 + 0.2) + 0.3


def test_totals_by_ticker_skip_unknown_profits():
    rows = [("A", 1.0), ("A", None), ("B", None)]
    assert compute_by_ticker(rows) == [
        TickerTotals(ticker="A", total_trades=2, total_pnl=1.0, avg_pnl=1.0),
        TickerTotals(ticker="B", total_trades=1, total_pnl=0.0, avg_pnl=0.0),
    ]


@pytest.mark.parametrize(
    ("now", "week", "month"),
    [
        (datetime(2024, 5, 1, 12), datetime(2024, 4, 29), datetime(2024, 5, 1)),
        (datetime(2024, 4, 29), datetime(2024, 4, 29), datetime(2024, 4, 1)),
        (datetime(2024, 1, 7, 23, 59), datetime(2024, 1, 1), datetime(2024, 1, 1)),
    ],
)
def test_weeks_begin_on_monday_and_may_begin_before_the_month(now: datetime, week: datetime, month: datetime):
    windows = windows_at(now)
    assert (windows.week, windows.month) == (week, month)
    assert windows.earliest == min(week, month)


def test_a_window_includes_its_first_instant():
    start = datetime(2024, 1, 1)
    assert pnl_since(start, [(start, 2.0), (datetime(2023, 12, 31, 23, 59, 59), 5.0)]) == 2.0
