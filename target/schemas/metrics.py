"""Bodies of /api/trades/metrics."""

from pydantic import BaseModel, ConfigDict

from target.schemas.fields import AnsweredFigure, AnsweredTime
from target.schemas.trades import TradeResponse


class PortfolioMetrics(BaseModel):
    """The portfolio's totals; the four null figures are part of the contract."""

    model_config = ConfigDict(from_attributes=True)

    total_value: AnsweredFigure
    cash_balance: AnsweredFigure
    invested_value: AnsweredFigure
    daily_return: AnsweredFigure | None = None
    total_return: AnsweredFigure
    volatility: AnsweredFigure | None = None
    sharpe_ratio: AnsweredFigure | None = None
    max_drawdown: AnsweredFigure | None = None
    total_trades: int
    winning_trades: int
    losing_trades: int
    win_rate: AnsweredFigure
    total_pnl: AnsweredFigure
    avg_pnl_per_trade: AnsweredFigure | None
    best_trade: AnsweredFigure
    worst_trade: AnsweredFigure


class DashboardMetrics(BaseModel):
    """The portfolio, its latest trades and what closed lately."""

    portfolio: PortfolioMetrics
    recent_trades: list[TradeResponse]
    open_positions: int
    today_pnl: AnsweredFigure
    week_pnl: AnsweredFigure
    month_pnl: AnsweredFigure
    last_updated: AnsweredTime


class TickerMetrics(BaseModel):
    """The closed trades of one ticker; win rate and holding time are constants in the contract."""

    model_config = ConfigDict(from_attributes=True)

    ticker: str
    total_trades: int
    total_pnl: AnsweredFigure
    avg_pnl: AnsweredFigure
    win_rate: float = 0.0
    avg_holding_days: float | None = None
