"""What each ingest did, and the tickers and rows that it could not keep."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_0005"
down_revision = "20261124_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "ingest_runs",
        _id(),
        sa.Column("universe", _text(20), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tickers_processed", sa.Integer(), nullable=False),
        sa.Column("tickers_successful", sa.Integer(), nullable=False),
        sa.Column("tickers_failed", sa.Integer(), nullable=False),
        sa.Column("rows_inserted", sa.Integer(), nullable=False),
        sa.Column("rows_changed", sa.Integer(), nullable=False),
        sa.Column("rows_unchanged", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ingest_runs_latest", "ingest_runs", ["universe", "started_at"])
    op.create_table(
        "ingest_failures",
        _id(),
        sa.Column("run_id", _row_id(), nullable=False),
        sa.Column("ticker", _text(20), nullable=False),
        sa.Column("traded_on", sa.Date()),
        sa.Column("failure", _text(30), nullable=False),
        sa.Column("reason", _text(200)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ingest_failures_run_id", "ingest_failures", ["run_id"])
    op.create_index("ix_ingest_failures_ticker", "ingest_failures", ["ticker"])


def downgrade() -> None:
    """Drop them, with what is in them."""
    op.drop_table("ingest_failures")
    op.drop_table("ingest_runs")


def _text(length: int) -> sa.types.TypeEngine[str]:
    """Text that sorts by bytes, which PostgreSQL must be told."""
    return sa.String(length, collation="C" if op.get_context().dialect.name == "postgresql" else None)


def _row_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _row_id(), sa.Identity(), primary_key=True)
