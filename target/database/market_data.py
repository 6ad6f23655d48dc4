"""Daily prices, on PostgreSQL only. Source: contract section 2, market_data as its SQL file has it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Numeric,
    Table,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from target.database.models import Base
from target.database.types import byte_ordered

_PRICE = Numeric(12, 4)

MARKET_DATA = Table(
    "market_data",
    Base.metadata,
    Column("ticker", byte_ordered(20), primary_key=True),
    Column("date", Date, primary_key=True),
    Column("open", _PRICE, nullable=False),
    Column("high", _PRICE, nullable=False),
    Column("low", _PRICE, nullable=False),
    Column("close", _PRICE, nullable=False),
    Column("volume", BigInteger, nullable=False),
    Column("adjusted_close", _PRICE),
    Column("source", byte_ordered(50), server_default="yfinance"),
    Column("data_quality", byte_ordered(20), server_default="good"),
    Column("created_at", DateTime(timezone=True), server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), server_default=func.now()),
    Column("metadata", JSONB, server_default=text("'{}'::jsonb")),
    CheckConstraint("low <= open AND low <= close AND low <= high", name="valid_low"),
    CheckConstraint("high >= open AND high >= close", name="valid_high"),
    CheckConstraint("volume >= 0", name="valid_volume"),
    CheckConstraint("open > 0 AND high > 0 AND low > 0 AND close > 0", name="valid_prices"),
    CheckConstraint("data_quality IN ('good', 'suspect', 'bad')", name="valid_data_quality"),
    # A NaN passes every other check: PostgreSQL holds it to be greater than any number.
    CheckConstraint(
        "'NaN' NOT IN (open, high, low, close) AND adjusted_close IS DISTINCT FROM 'NaN'", name="valid_numbers"
    ),
    Index("ix_market_data_ticker", "ticker"),
    Index("ix_market_data_date", text("date DESC")),
    Index("ix_market_data_ticker_date", "ticker", text("date DESC")),
    Index("ix_market_data_updated_at", text("updated_at DESC")),
    Index("ix_market_data_quality", "data_quality", postgresql_where=text("data_quality <> 'good'")),
    Index("ix_market_data_metadata", "metadata", postgresql_using="gin"),
)
