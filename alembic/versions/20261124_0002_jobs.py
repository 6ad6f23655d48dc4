"""Background work: jobs, and the results of backtests and scans that the legacy kept in its memory."""

import sqlalchemy as sa
from alembic import op

revision = "20261124_0002"
down_revision = "20250112_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    _create_jobs()
    _create_backtests()
    _create_scans()


def downgrade() -> None:
    """Drop them, with what is in them."""
    op.drop_table("scans")
    op.drop_table("backtests")
    op.drop_table("jobs")


def _text(length: int | None = None) -> sa.types.TypeEngine[str]:
    """Text that sorts by bytes, which PostgreSQL must be told."""
    collation = "C" if op.get_context().dialect.name == "postgresql" else None
    return sa.String(length, collation=collation) if length else sa.Text(collation=collation)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), primary_key=True)


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        _id(),
        sa.Column("job_id", _text(32), nullable=False),
        sa.Column("kind", _text(8), nullable=False),
        sa.Column("subject", _text(100)),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", _text(9), nullable=False),
        sa.Column("error", _text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime()),
        sa.Column("started_at", sa.DateTime()),
        sa.Column("finished_at", sa.DateTime()),
        sqlite_autoincrement=True,
    )
    unsent = sa.text("sent_at IS NULL")
    op.create_index("ix_jobs_job_id", "jobs", ["job_id"], unique=True)
    op.create_index("ix_jobs_latest", "jobs", ["kind", "subject", "id"])
    op.create_index("ix_jobs_unsent", "jobs", ["submitted_at"], postgresql_where=unsent, sqlite_where=unsent)


def _create_backtests() -> None:
    op.create_table(
        "backtests",
        _id(),
        sa.Column("job_id", _text(32), nullable=False),
        sa.Column("backtest_id", _text(120), nullable=False),
        sa.Column("strategy_name", _text(100), nullable=False),
        sa.Column("completed_at", sa.DateTime(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("final_value", sa.Float()),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("execution_time_s", sa.Float(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backtests_job_id", "backtests", ["job_id"], unique=True)
    op.create_index("ix_backtests_latest", "backtests", ["strategy_name", "id"])


def _create_scans() -> None:
    op.create_table(
        "scans",
        _id(),
        sa.Column("job_id", _text(32), nullable=False),
        sa.Column("generated_at", sa.DateTime(), nullable=False),
        sa.Column("scanner_type", _text(), nullable=False),
        sa.Column("universe", _text(), nullable=False),
        sa.Column("tickers_scanned", sa.Integer(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("stocks", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_scans_job_id", "scans", ["job_id"], unique=True)
