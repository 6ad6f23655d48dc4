"""Reading and writing trades (contract section 4.2)."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import asc, desc
from sqlalchemy.orm import Query, Session

from legacy_adapter.app.models import Trade, TradeStatus
from legacy_adapter.app.schemas import TradeCreate, TradeListResponse, TradeResponse, TradeUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilters:
    """What a list is narrowed and ordered by; empty texts count as absent."""

    ticker: str | None
    status: str | None
    strategy: str | None
    start_date: datetime | None
    end_date: datetime | None
    sort_by: str
    sort_desc: bool


def create_trade(db: Session, body: TradeCreate) -> TradeResponse:
    """Inserts an OPEN trade.

    Raises:
        ValueError: the trade_id exists, or what was committed does not fit an answer (LEGACY-PARITY: Q1, Q9).
    """
    if db.query(Trade).filter(Trade.trade_id == body.trade_id).first():
        raise ValueError(f"Trade with ID {body.trade_id} already exists")
    trade = Trade(**body.model_dump(), status=TradeStatus.OPEN)
    db.add(trade)
    db.commit()
    db.refresh(trade)
    return TradeResponse.model_validate(trade)


def list_trades(db: Session, filters: TradeFilters, page: int, page_size: int) -> TradeListResponse:
    """One page; without a tie-breaker, so equal keys come in SQLite's own order (LEGACY-PARITY: Q11)."""
    query = _filtered(db.query(Trade), filters)
    total = query.count()
    key: Any = getattr(Trade, filters.sort_by, Trade.entry_date)
    query = query.order_by(desc(key) if filters.sort_desc else asc(key))
    trades = query.offset((page - 1) * page_size).limit(page_size).all()
    return TradeListResponse(
        trades=[TradeResponse.model_validate(trade) for trade in trades],
        total=total,
        page=page,
        page_size=page_size,
        total_pages=math.ceil(total / page_size) if total else 1,
    )


def find_trade(db: Session, trade_id: int) -> Trade | None:
    """The trade of an internal id."""
    return db.query(Trade).filter(Trade.id == trade_id).first()


def update_trade(db: Session, trade: Trade, body: TradeUpdate) -> TradeResponse:
    """Sets what the body gives; committed before the answer is checked (LEGACY-PARITY: Q2, Q8)."""
    changes = body.model_dump(exclude_unset=True)
    for name, value in changes.items():
        setattr(trade, name, value)
    if changes.get("status") == TradeStatus.CLOSED and changes.get("exit_price"):
        trade.calculate_pnl()
    db.commit()
    db.refresh(trade)
    return TradeResponse.model_validate(trade)


def close_trade(db: Session, trade: Trade, exit_price: float, exit_date: datetime | None) -> TradeResponse:
    """Closes at a price, by default now in UTC."""
    trade.exit_price = exit_price
    trade.exit_date = exit_date or datetime.utcnow()
    trade.status = TradeStatus.CLOSED
    trade.calculate_pnl()
    db.commit()
    db.refresh(trade)
    return TradeResponse.model_validate(trade)


def delete_trade(db: Session, trade: Trade) -> None:
    """Deletes the row; SQLite may give its id to the next one (LEGACY-PARITY: Q7)."""
    db.delete(trade)
    db.commit()


def next_trade_id(db: Session, prefix: str) -> str:
    """A label from the date and the number of rows; reserves nothing."""
    return f"{prefix}-{datetime.utcnow():%Y%m%d}-{db.query(Trade).count() + 1:04d}"


def _filtered(query: Query[Trade], filters: TradeFilters) -> Query[Trade]:
    if filters.ticker:
        query = query.filter(Trade.ticker == filters.ticker.upper())
    if filters.status:
        # LEGACY-PARITY: Q4, an unknown status raises here and nobody catches it.
        query = query.filter(Trade.status == TradeStatus(filters.status))
    if filters.strategy:
        query = query.filter(Trade.strategy_name == filters.strategy)
    if filters.start_date:
        query = query.filter(Trade.entry_date >= filters.start_date)
    if filters.end_date:
        query = query.filter(Trade.entry_date <= filters.end_date)
    return query
