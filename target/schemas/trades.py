"""Bodies of /api/trades. Field order is the contract's: answers and validation errors come out in it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from target.schemas.fields import (
    STORABLE,
    AnsweredFigure,
    AnsweredTime,
    Fee,
    KnownStatus,
    NaiveTime,
    PositiveFigure,
    Score,
    Ticker,
    TradeDirection,
    TradeStatus,
)


class TradeCreate(BaseModel):
    """What a client says of a new trade; unknown fields are ignored, status among them."""

    ticker: Ticker
    asset_name: Annotated[str, Field(max_length=100), STORABLE] | None = None
    asset_class: Annotated[str, Field(max_length=50), STORABLE] | None = None
    direction: TradeDirection
    quantity: PositiveFigure
    entry_price: PositiveFigure
    commission: Fee = 3.0
    currency: Annotated[str, Field(max_length=3), STORABLE] = "AUD"
    strategy_name: Annotated[str, Field(max_length=100), STORABLE] = "dual_momentum"
    signal_score: Score | None = None
    notes: Annotated[str, STORABLE] | None = None
    trade_id: Annotated[str, Field(min_length=1, max_length=50), STORABLE]
    entry_date: NaiveTime


class TradeUpdate(BaseModel):
    """What a client may change; only fields that are present count. A null status is refused (Q2)."""

    exit_price: PositiveFigure | None = None
    exit_date: NaiveTime | None = None
    status: KnownStatus = TradeStatus.OPEN
    notes: Annotated[str, STORABLE] | None = None


class TradeResponse(BaseModel):
    """One trade. Re-applies no input bound: a row that came from the legacy poisoned is still readable."""

    model_config = ConfigDict(from_attributes=True)

    ticker: str
    asset_name: str | None
    asset_class: str | None
    direction: TradeDirection
    quantity: AnsweredFigure
    entry_price: AnsweredFigure
    commission: AnsweredFigure | None
    currency: str | None
    strategy_name: str | None
    signal_score: AnsweredFigure | None
    notes: str | None
    id: int
    trade_id: str
    entry_date: AnsweredTime
    exit_price: AnsweredFigure | None
    exit_date: AnsweredTime | None
    pnl: AnsweredFigure | None
    pnl_percent: AnsweredFigure | None
    status: TradeStatus | None
    created_at: AnsweredTime | None
    updated_at: AnsweredTime | None


class TradePage(BaseModel):
    """One page of trades; `total_pages` is 1 even where there is none."""

    trades: list[TradeResponse]
    total: int
    page: int
    page_size: int
    total_pages: int


class GeneratedId(BaseModel):
    """A trade_id that is free to use and reserves nothing."""

    trade_id: str
