"""Initial schema: trades, portfolio_snapshots, index_constituents; market_data on PostgreSQL.

Written out rather than taken from the models: a migration says what a database was, whatever the models become.
"""

import sqlalchemy as sa
from alembic import op

revision = "20250112_0001"
down_revision = None
branch_labels = None
depends_on = None

_UPDATED_AT_FUNCTION = """
CREATE FUNCTION set_market_data_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END
$$
"""
_UPDATED_AT_TRIGGER = """
CREATE TRIGGER market_data_updated_at BEFORE UPDATE ON market_data
FOR EACH ROW EXECUTE FUNCTION set_market_data_updated_at()
"""


def upgrade() -> None:
    """Create every table of this dialect."""
    _create_trades()
    _create_portfolio_snapshots()
    _create_index_constituents()
    if _is_postgresql():
        _create_market_data()


def downgrade() -> None:
    """Drop every table of this dialect, with what is in them."""
    if _is_postgresql():
        op.drop_table("market_data")
        op.execute("DROP FUNCTION set_market_data_updated_at()")
    op.drop_table("index_constituents")
    op.drop_table("portfolio_snapshots")
    op.drop_table("trades")


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    """Text that sorts by bytes, which PostgreSQL must be told."""
    kind = sa.String(length, collation="C") if length else sa.Text(collation="C")
    return kind if _is_postgresql() else sa.String(length) if length else sa.Text()


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True)


def _clock(name: str, *, nullable: bool = True) -> sa.Column[object]:
    """A naive UTC time in whole seconds that the server fills in."""
    now = "date_trunc('second', timezone('utc', now()))" if _is_postgresql() else "CURRENT_TIMESTAMP"
    return sa.Column(name, sa.DateTime(), server_default=sa.text(now), nullable=nullable)


def _create_trades() -> None:
    op.create_table(
        "trades",
        _id(),
        sa.Column("trade_id", _text(50), nullable=False),
        sa.Column("ticker", _text(20), nullable=False),
        sa.Column("asset_name", _text(100)),
        sa.Column("asset_class", _text(50)),
        sa.Column("direction", _text(4), nullable=False),
        sa.Column("quantity", sa.Float(), nullable=False),
        sa.Column("entry_price", sa.Float(), nullable=False),
        sa.Column("exit_price", sa.Float()),
        sa.Column("commission", sa.Float()),
        sa.Column("currency", _text(3)),
        sa.Column("entry_date", sa.DateTime(), nullable=False),
        sa.Column("exit_date", sa.DateTime()),
        sa.Column("pnl", sa.Float()),
        sa.Column("pnl_percent", sa.Float()),
        sa.Column("strategy_name", _text(100)),
        sa.Column("signal_score", sa.Float()),
        sa.Column("status", _text(9)),
        sa.Column("notes", _text()),
        _clock("created_at"),
        _clock("updated_at"),
        _clock("knowledge_timestamp", nullable=False),
        sa.Column("event_timestamp", sa.DateTime()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trades_trade_id", "trades", ["trade_id"], unique=True)
    op.create_index("ix_trades_ticker", "trades", ["ticker"])
    op.create_index("ix_trades_entry_date", "trades", ["entry_date"])
    op.create_index("ix_trades_strategy_name", "trades", ["strategy_name"])
    op.create_index("ix_trades_ticker_date", "trades", ["ticker", "entry_date"])
    op.create_index("ix_trades_strategy_status", "trades", ["strategy_name", "status"])
    op.create_index("ix_trades_date_range", "trades", ["entry_date", "exit_date"])
    op.create_index("ix_trades_bitemporal", "trades", ["knowledge_timestamp", "event_timestamp"])


def _create_portfolio_snapshots() -> None:
    op.create_table(
        "portfolio_snapshots",
        _id(),
        sa.Column("snapshot_date", sa.DateTime(), nullable=False),
        sa.Column("total_value", sa.Float(), nullable=False),
        sa.Column("cash_balance", sa.Float(), nullable=False),
        sa.Column("invested_value", sa.Float(), nullable=False),
        sa.Column("daily_return", sa.Float()),
        sa.Column("cumulative_return", sa.Float()),
        sa.Column("volatility_21d", sa.Float()),
        sa.Column("sharpe_ratio_21d", sa.Float()),
        sa.Column("max_drawdown", sa.Float()),
        sa.Column("num_positions", sa.Integer()),
        _clock("created_at"),
        _clock("knowledge_timestamp", nullable=False),
        sa.Column("event_timestamp", sa.DateTime()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_portfolio_snapshots_snapshot_date", "portfolio_snapshots", ["snapshot_date"])
    op.create_index("ix_snapshot_date", "portfolio_snapshots", ["snapshot_date"])
    op.create_index("ix_snapshot_bitemporal", "portfolio_snapshots", ["knowledge_timestamp", "event_timestamp"])


def _create_index_constituents() -> None:
    op.create_table(
        "index_constituents",
        _id(),
        sa.Column("ticker", _text(20), nullable=False),
        sa.Column("index_name", _text(20), nullable=False),
        sa.Column("start_date", sa.DateTime(), nullable=False),
        sa.Column("end_date", sa.DateTime()),
        sa.Column("active", sa.Boolean()),
        _clock("created_at"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_index_constituents_ticker", "index_constituents", ["ticker"])
    op.create_index("ix_index_constituents_index_name", "index_constituents", ["index_name"])
    op.create_index("ix_index_constituents_start_date", "index_constituents", ["start_date"])
    op.create_index("ix_constituents_lookup", "index_constituents", ["index_name", "start_date", "end_date"])


def _create_market_data() -> None:
    price = sa.Numeric(12, 4)
    op.create_table(
        "market_data",
        sa.Column("ticker", _text(20), primary_key=True),
        sa.Column("date", sa.Date(), primary_key=True),
        sa.Column("open", price, nullable=False),
        sa.Column("high", price, nullable=False),
        sa.Column("low", price, nullable=False),
        sa.Column("close", price, nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("adjusted_close", price),
        sa.Column("source", _text(50)),
        sa.Column("data_quality", _text(20)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("metadata", sa.JSON()),
        sa.CheckConstraint("low <= open AND low <= close AND low <= high", name="valid_low"),
        sa.CheckConstraint("high >= open AND high >= close", name="valid_high"),
        sa.CheckConstraint("volume >= 0", name="valid_volume"),
        sa.CheckConstraint("open > 0 AND high > 0 AND low > 0 AND close > 0", name="valid_prices"),
        sa.CheckConstraint("data_quality IN ('good', 'suspect', 'bad')", name="valid_data_quality"),
    )
    op.create_index("ix_market_data_ticker", "market_data", ["ticker"])
    op.create_index("ix_market_data_date", "market_data", [sa.text("date DESC")])
    op.create_index("ix_market_data_ticker_date", "market_data", ["ticker", sa.text("date DESC")])
    op.create_index("ix_market_data_updated_at", "market_data", [sa.text("updated_at DESC")])
    op.create_index(
        "ix_market_data_quality", "market_data", ["data_quality"], postgresql_where=sa.text("data_quality <> 'good'")
    )
    op.execute(_UPDATED_AT_FUNCTION)
    op.execute(_UPDATED_AT_TRIGGER)
