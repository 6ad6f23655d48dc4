"""The tables that both databases have: trades, portfolio snapshots, index constituents."""

from datetime import datetime

from sqlalchemy import Boolean, DateTime, Float, Identity, Index, Integer
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from target.database.types import BYTE_ORDERED_TEXT, ROW_ID, byte_ordered, utc_second


class Base(DeclarativeBase):
    """Mapped tables; `updated_at` and other server values come back with the statement that wrote them."""

    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy declares it an instance variable


class Trade(Base):
    """One trade. Source: contract section 2.

    `direction` and `status` are text, not native enums: they sort by bytes as in the legacy, a row that the legacy
    holds with a NULL or unknown status can be carried, and a new state needs no ALTER TYPE.
    """

    __tablename__ = "trades"
    __table_args__ = (
        Index("ix_trades_ticker_date", "ticker", "entry_date"),
        Index("ix_trades_strategy_status", "strategy_name", "status"),
        Index("ix_trades_date_range", "entry_date", "exit_date"),
        Index("ix_trades_bitemporal", "knowledge_timestamp", "event_timestamp"),
        {"sqlite_autoincrement": True},  # ids are never handed out twice, on either database (Q7)
    )

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    trade_id: Mapped[str] = mapped_column(byte_ordered(50), unique=True, index=True)
    ticker: Mapped[str] = mapped_column(byte_ordered(20), index=True)
    asset_name: Mapped[str | None] = mapped_column(byte_ordered(100))
    asset_class: Mapped[str | None] = mapped_column(byte_ordered(50))
    direction: Mapped[str] = mapped_column(byte_ordered(4))
    quantity: Mapped[float] = mapped_column(Float)
    entry_price: Mapped[float] = mapped_column(Float)
    exit_price: Mapped[float | None] = mapped_column(Float)
    commission: Mapped[float | None] = mapped_column(Float, default=3.0)
    currency: Mapped[str | None] = mapped_column(byte_ordered(3), default="AUD")
    entry_date: Mapped[datetime] = mapped_column(DateTime, index=True)
    exit_date: Mapped[datetime | None] = mapped_column(DateTime)
    pnl: Mapped[float | None] = mapped_column(Float)
    pnl_percent: Mapped[float | None] = mapped_column(Float)
    strategy_name: Mapped[str | None] = mapped_column(byte_ordered(100), default="dual_momentum", index=True)
    signal_score: Mapped[float | None] = mapped_column(Float)
    status: Mapped[str | None] = mapped_column(byte_ordered(9), default="OPEN")
    notes: Mapped[str | None] = mapped_column(BYTE_ORDERED_TEXT)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=utc_second())
    updated_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=utc_second(), onupdate=utc_second())
    knowledge_timestamp: Mapped[datetime] = mapped_column(DateTime, server_default=utc_second())
    event_timestamp: Mapped[datetime | None] = mapped_column(DateTime)


class PortfolioSnapshot(Base):
    """The portfolio's value at one instant. Source: contract section 2, its duplicate index included."""

    __tablename__ = "portfolio_snapshots"
    __table_args__ = (
        Index("ix_snapshot_date", "snapshot_date"),
        Index("ix_snapshot_bitemporal", "knowledge_timestamp", "event_timestamp"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    snapshot_date: Mapped[datetime] = mapped_column(DateTime, index=True)
    total_value: Mapped[float] = mapped_column(Float)
    cash_balance: Mapped[float] = mapped_column(Float)
    invested_value: Mapped[float] = mapped_column(Float)
    daily_return: Mapped[float | None] = mapped_column(Float)
    cumulative_return: Mapped[float | None] = mapped_column(Float)
    volatility_21d: Mapped[float | None] = mapped_column(Float)
    sharpe_ratio_21d: Mapped[float | None] = mapped_column(Float)
    max_drawdown: Mapped[float | None] = mapped_column(Float)
    num_positions: Mapped[int | None] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=utc_second())
    knowledge_timestamp: Mapped[datetime] = mapped_column(DateTime, server_default=utc_second())
    event_timestamp: Mapped[datetime | None] = mapped_column(DateTime)


class IndexConstituent(Base):
    """A ticker's membership of an index from a date on. Source: contract section 2."""

    __tablename__ = "index_constituents"
    __table_args__ = (
        Index("ix_constituents_lookup", "index_name", "start_date", "end_date"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    ticker: Mapped[str] = mapped_column(byte_ordered(20), index=True)
    index_name: Mapped[str] = mapped_column(byte_ordered(20), index=True)
    start_date: Mapped[datetime] = mapped_column(DateTime, index=True)
    end_date: Mapped[datetime | None] = mapped_column(DateTime)
    active: Mapped[bool | None] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, server_default=utc_second())
