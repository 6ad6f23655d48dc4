"""Bodies of the trades API; the order of fields is the order of keys and of validation errors."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from legacy_adapter.app.models import TradeDirection, TradeStatus


class TradeBase(BaseModel):
    """What a trade has in requests and answers: answers are held to the same bounds (LEGACY-PARITY: Q1)."""

    ticker: str = Field(..., min_length=1, max_length=20)
    asset_name: str | None = Field(None, max_length=100)
    asset_class: str | None = Field(None, max_length=50)
    direction: TradeDirection
    quantity: float = Field(..., gt=0)
    entry_price: float = Field(..., gt=0)
    commission: float = Field(3.0, ge=0)
    currency: str = Field("AUD", max_length=3)
    strategy_name: str = Field("dual_momentum", max_length=100)
    signal_score: float | None = Field(None, ge=0, le=1)
    notes: str | None = None


class TradeCreate(TradeBase):
    """Body of a new trade."""

    trade_id: str = Field(..., min_length=1, max_length=50)
    entry_date: datetime

    @field_validator("ticker")
    @classmethod
    def _normalise_ticker(cls, value: str) -> str:
        # LEGACY-PARITY: Q1, the length is checked before this, so blank and longer tickers get through.
        return value.upper().strip()


class TradeUpdate(BaseModel):
    """Body of a change; what is not given stays."""

    exit_price: float | None = Field(None, gt=0)
    exit_date: datetime | None = None
    status: TradeStatus | None = None
    notes: str | None = None


class TradeResponse(TradeBase):
    """A trade as answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    trade_id: str
    entry_date: datetime
    exit_price: float | None
    exit_date: datetime | None
    pnl: float | None
    pnl_percent: float | None
    status: TradeStatus
    created_at: datetime
    updated_at: datetime


class TradeListResponse(BaseModel):
    """One page of trades."""

    trades: list[TradeResponse]
    total: int
    page: int
    page_size: int
    total_pages: int


class PortfolioMetrics(BaseModel):
    """Totals over all trades."""

    total_value: float
    cash_balance: float
    invested_value: float
    daily_return: float | None = None
    total_return: float | None = None
    volatility: float | None = None
    sharpe_ratio: float | None = None
    max_drawdown: float | None = None
    total_trades: int
    winning_trades: int
    losing_trades: int
    win_rate: float | None = None
    total_pnl: float
    avg_pnl_per_trade: float | None = None
    best_trade: float | None = None
    worst_trade: float | None = None


class DashboardSummary(BaseModel):
    """Totals, the latest trades and the gains of three windows."""

    portfolio: PortfolioMetrics
    recent_trades: list[TradeResponse]
    open_positions: int
    today_pnl: float
    week_pnl: float
    month_pnl: float
    last_updated: datetime


class TickerPerformance(BaseModel):
    """What one ticker's closed trades came to."""

    ticker: str
    total_trades: int
    total_pnl: float
    avg_pnl: float
    win_rate: float
    avg_holding_days: float | None = None
