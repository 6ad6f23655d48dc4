"""Tables (contract section 2)."""

import enum
from datetime import datetime

from sqlalchemy import Boolean, DateTime, Enum, Float, Index, Integer, String, Text, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Registry of all tables."""


class TradeDirection(enum.StrEnum):
    """Side of a trade."""

    BUY = "BUY"
    SELL = "SELL"


class TradeStatus(enum.StrEnum):
    """Life of a trade."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class Trade(Base):
    # LEGACY-PARITY: Q5, this text shows in the answer to `sort_by=__doc__`, line break first.
    """
    Trade model for tracking positions and their outcome.
    """

    __tablename__ = "trades"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    trade_id: Mapped[str] = mapped_column(String(50), unique=True, nullable=False, index=True)
    ticker: Mapped[str] = mapped_column(String(20), nullable=False, index=True)
    asset_name: Mapped[str | None] = mapped_column(String(100))
    asset_class: Mapped[str | None] = mapped_column(String(50))
    direction: Mapped[TradeDirection] = mapped_column(Enum(TradeDirection), nullable=False)
    quantity: Mapped[float] = mapped_column(Float, nullable=False)
    entry_price: Mapped[float] = mapped_column(Float, nullable=False)
    exit_price: Mapped[float | None] = mapped_column(Float)
    commission: Mapped[float | None] = mapped_column(Float, default=3.0)
    currency: Mapped[str | None] = mapped_column(String(3), default="AUD")
    entry_date: Mapped[datetime] = mapped_column(DateTime, nullable=False, index=True)
    exit_date: Mapped[datetime | None] = mapped_column(DateTime)
    pnl: Mapped[float | None] = mapped_column(Float)
    pnl_percent: Mapped[float | None] = mapped_column(Float)
    strategy_name: Mapped[str | None] = mapped_column(String(100), default="dual_momentum", index=True)
    signal_score: Mapped[float | None] = mapped_column(Float)
    status: Mapped[TradeStatus | None] = mapped_column(Enum(TradeStatus), default=TradeStatus.OPEN)
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=func.now())
    updated_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=func.now(), onupdate=func.now())
    knowledge_timestamp: Mapped[datetime] = mapped_column(DateTime, server_default=func.now(), nullable=False)
    # LEGACY-PARITY: Q10, nothing ever writes it.
    event_timestamp: Mapped[datetime | None] = mapped_column(DateTime)

    __table_args__ = (
        Index("ix_trades_ticker_date", "ticker", "entry_date"),
        Index("ix_trades_strategy_status", "strategy_name", "status"),
        Index("ix_trades_date_range", "entry_date", "exit_date"),
        Index("ix_trades_bitemporal", "knowledge_timestamp", "event_timestamp"),
    )

    def calculate_pnl(self) -> None:
        """Fills pnl and pnl_percent of a closed trade with an exit price; otherwise changes nothing."""
        if self.status != TradeStatus.CLOSED or not self.exit_price:
            return
        difference = self.exit_price - self.entry_price
        if self.direction == TradeDirection.SELL:
            difference = self.entry_price - self.exit_price
        self.pnl = difference * self.quantity - (self.commission or 0)
        self.pnl_percent = difference / self.entry_price * 100


class PortfolioSnapshot(Base):
    """A day's portfolio; no route reads or writes it."""

    __tablename__ = "portfolio_snapshots"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    snapshot_date: Mapped[datetime] = mapped_column(DateTime, nullable=False, index=True)
    total_value: Mapped[float] = mapped_column(Float, nullable=False)
    cash_balance: Mapped[float] = mapped_column(Float, nullable=False)
    invested_value: Mapped[float] = mapped_column(Float, nullable=False)
    daily_return: Mapped[float | None] = mapped_column(Float)
    cumulative_return: Mapped[float | None] = mapped_column(Float)
    volatility_21d: Mapped[float | None] = mapped_column(Float)
    sharpe_ratio_21d: Mapped[float | None] = mapped_column(Float)
    max_drawdown: Mapped[float | None] = mapped_column(Float)
    num_positions: Mapped[int | None] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=func.now())
    knowledge_timestamp: Mapped[datetime] = mapped_column(DateTime, server_default=func.now(), nullable=False)
    event_timestamp: Mapped[datetime | None] = mapped_column(DateTime)

    __table_args__ = (
        Index("ix_snapshot_date", "snapshot_date"),
        Index("ix_snapshot_bitemporal", "knowledge_timestamp", "event_timestamp"),
    )


class IndexConstituent(Base):
    """Membership of an index; no route reads or writes it."""

    __tablename__ = "index_constituents"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ticker: Mapped[str] = mapped_column(String(20), nullable=False, index=True)
    index_name: Mapped[str] = mapped_column(String(20), nullable=False, index=True)
    start_date: Mapped[datetime] = mapped_column(DateTime, nullable=False, index=True)
    end_date: Mapped[datetime | None] = mapped_column(DateTime)
    active: Mapped[bool | None] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=func.now())

    __table_args__ = (Index("ix_constituents_lookup", "index_name", "start_date", "end_date"),)
