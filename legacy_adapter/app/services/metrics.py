"""Totals over trades (contract section 4.2); sums run left to right in row order."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.orm import Session

from legacy_adapter.app.models import Trade, TradeStatus
from legacy_adapter.app.schemas import DashboardSummary, PortfolioMetrics, TickerPerformance, TradeResponse
from legacy_adapter.app.services.arithmetic import sum_in_order

_RECENT = 10


def portfolio_metrics(db: Session, initial_capital: float) -> PortfolioMetrics:
    """Totals over all trades; what needs a price history stays null."""
    trades = db.query(Trade).all()
    closed = [trade for trade in trades if trade.status == TradeStatus.CLOSED]
    pnls = [trade.pnl for trade in closed if trade.pnl is not None]
    total_pnl = sum_in_order(pnls)
    wins = len([pnl for pnl in pnls if pnl > 0])
    losses = len([pnl for pnl in pnls if pnl <= 0])
    # The last digits depend on the order: open positions are summed latest first, gains in row order.
    positions = db.query(Trade).filter(Trade.status == TradeStatus.OPEN).order_by(Trade.entry_date.desc())
    invested = sum_in_order(trade.entry_price * trade.quantity for trade in positions.all())
    total_value = initial_capital + total_pnl
    return PortfolioMetrics(
        total_value=total_value,
        cash_balance=total_value - invested,
        invested_value=invested,
        total_return=total_pnl / initial_capital * 100,
        total_trades=len(trades),
        winning_trades=wins,
        losing_trades=losses,
        win_rate=wins / len(pnls) * 100 if pnls else 0.0,
        total_pnl=total_pnl,
        avg_pnl_per_trade=total_pnl / len(closed) if closed else None,
        best_trade=max(pnls, default=0.0),
        worst_trade=min(pnls, default=0.0),
    )


def dashboard_summary(db: Session, initial_capital: float) -> DashboardSummary:
    """Totals, the ten latest trades, and gains since midnight, Monday and the first, all in UTC."""
    now = datetime.utcnow()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    recent = db.query(Trade).order_by(Trade.entry_date.desc()).limit(_RECENT).all()
    return DashboardSummary(
        portfolio=portfolio_metrics(db, initial_capital),
        recent_trades=[TradeResponse.model_validate(trade) for trade in recent],
        open_positions=db.query(Trade).filter(Trade.status == TradeStatus.OPEN).count(),
        today_pnl=_pnl_between(db, today, now),
        week_pnl=_pnl_between(db, today - timedelta(days=today.weekday()), now),
        month_pnl=_pnl_between(db, today.replace(day=1), now),
        last_updated=now,
    )


def ticker_performance(db: Session) -> list[TickerPerformance]:
    """Closed trades by ticker, in the order in which SQLite groups them."""
    rows = (
        db.query(
            Trade.ticker,
            func.count(Trade.id).label("total_trades"),
            func.sum(Trade.pnl).label("total_pnl"),
            func.avg(Trade.pnl).label("avg_pnl"),
        )
        .filter(Trade.status == TradeStatus.CLOSED)
        .group_by(Trade.ticker)
        .all()
    )
    return [
        TickerPerformance(
            ticker=row.ticker,
            total_trades=row.total_trades,
            total_pnl=row.total_pnl or 0.0,
            avg_pnl=row.avg_pnl or 0.0,
            win_rate=0.0,
            avg_holding_days=None,
        )
        for row in rows
    ]


def _pnl_between(db: Session, start: datetime, end: datetime) -> float:
    total = (
        db.query(func.sum(Trade.pnl))
        .filter(Trade.status == TradeStatus.CLOSED, Trade.exit_date >= start, Trade.exit_date <= end)
        .scalar()
    )
    return total or 0.0
