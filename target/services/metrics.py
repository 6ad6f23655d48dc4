"""Portfolio figures, summed the way the legacy sums them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple


class TradeFigures(NamedTuple):
    """What the portfolio needs of one trade."""

    status: str | None
    pnl: float | None
    quantity: float
    entry_price: float
    entry_date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The portfolio's totals; `win_rate` and `total_return` in percent."""

    total_value: float
    cash_balance: float
    invested_value: float
    total_return: float
    total_trades: int
    winning_trades: int
    losing_trades: int
    win_rate: float
    total_pnl: float
    avg_pnl_per_trade: float | None
    best_trade: float
    worst_trade: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerTotals:
    """The closed trades of one ticker."""

    ticker: str
    total_trades: int
    total_pnl: float
    avg_pnl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Starts of the current day, week (Monday) and month, in naive UTC."""

    day: datetime
    week: datetime
    month: datetime

    @property
    def earliest(self) -> datetime:
        """The first instant that any window covers."""
        return min(self.week, self.month)


def sum_in_order(values: Iterable[float]) -> float:
    """Add left to right in plain double precision.

    Not `sum`: from Python 3.12 on it compensates rounding, which changes last digits against the legacy.
    """
    total = 0.0
    for value in values:
        total += value
    return total


def compute_portfolio(trades: Sequence[TradeFigures], initial_capital: float) -> Portfolio:
    """Return the totals over all trades, which must come in id order.

    Profits are added in that order; the cost of open trades from the latest entry to the earliest. The last digits
    of the recorded answers come out of these two orders and no simpler one. Source: contract section 4.2.
    """
    closed = [trade for trade in trades if trade.status == "CLOSED"]
    pnls = [trade.pnl for trade in closed if trade.pnl is not None]
    total_pnl = sum_in_order(pnls)
    invested = sum_in_order(trade.entry_price * trade.quantity for trade in _latest_first(trades, "OPEN"))
    wins = sum(pnl > 0 for pnl in pnls)
    total_value = initial_capital + total_pnl
    return Portfolio(
        total_value=total_value,
        cash_balance=total_value - invested,
        invested_value=invested,
        total_return=total_pnl / initial_capital * 100,
        total_trades=len(trades),
        winning_trades=wins,
        losing_trades=len(pnls) - wins,
        win_rate=wins / len(pnls) * 100 if pnls else 0.0,
        total_pnl=total_pnl,
        avg_pnl_per_trade=total_pnl / len(closed) if closed else None,
        best_trade=max(pnls, default=0.0),
        worst_trade=min(pnls, default=0.0),
    )


def compute_by_ticker(closed: Iterable[tuple[str, float | None]]) -> list[TickerTotals]:
    """Return one entry a ticker, in the order given; the input must be grouped by ticker."""
    return [_totals(ticker, [pnl for _, pnl in rows]) for ticker, rows in groupby(closed, key=lambda row: row[0])]


def windows_at(now: datetime) -> Windows:
    """Return the windows that contain `now`, a naive UTC time."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Windows(day=day, week=day - timedelta(days=day.weekday()), month=day.replace(day=1))


def pnl_since(start: datetime, exits: Iterable[tuple[datetime, float]]) -> float:
    """Return the profit of the trades that closed at or after `start`, in the order given."""
    return sum_in_order(pnl for exit_date, pnl in exits if exit_date >= start)


def _latest_first(trades: Sequence[TradeFigures], status: str) -> list[TradeFigures]:
    """Return the trades of one status by entry date, ids descending among equals: the legacy's default listing."""
    wanted = [trade for trade in reversed(trades) if trade.status == status]
    return sorted(wanted, key=lambda trade: trade.entry_date, reverse=True)


def _totals(ticker: str, pnls: Sequence[float | None]) -> TickerTotals:
    known = [pnl for pnl in pnls if pnl is not None]
    total = sum_in_order(known)
    return TickerTotals(
        ticker=ticker, total_trades=len(pnls), total_pnl=total, avg_pnl=total / len(known) if known else 0.0
    )
