"""The tables of background work: jobs, and what backtests and scans came to.

Nothing refers to anything by foreign key: results outlive the jobs that made them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Float, Identity, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from target.database.models import Base
from target.database.types import BYTE_ORDERED_TEXT, ROW_ID, byte_ordered

# `json` rather than `jsonb`: answers keep the order of keys, and a NUL in a text can be stored.
_JSON = JSON()


class JobRow(Base):
    """One job from its submission on; the row is committed before the queue hears of it.

    `state` is queued, running, completed or failed. `subject` is whose latest job is asked for: a backtest's strategy.
    `sent_at` stays NULL until the queue accepted the message. Times are naive UTC.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_latest", "kind", "subject", "id"),
        Index(
            "ix_jobs_unsent",
            "submitted_at",
            postgresql_where=text("sent_at IS NULL"),
            sqlite_where=text("sent_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    job_id: Mapped[str] = mapped_column(byte_ordered(32), unique=True, index=True)
    kind: Mapped[str] = mapped_column(byte_ordered(8))
    subject: Mapped[str | None] = mapped_column(byte_ordered(100))
    payload: Mapped[dict[str, Any]] = mapped_column(_JSON)
    state: Mapped[str] = mapped_column(byte_ordered(9))
    error: Mapped[str | None] = mapped_column(BYTE_ORDERED_TEXT)
    attempts: Mapped[int] = mapped_column(Integer)
    submitted_at: Mapped[datetime] = mapped_column(DateTime)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime)
    started_at: Mapped[datetime | None] = mapped_column(DateTime)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime)


class Backtest(Base):
    """What a backtest came to. Source: contract section 4.5, the keys of a result.

    `backtest_id` has a resolution of one second and may repeat; `job_id` may not, so no delivery stores a run twice.
    `evidence` is what the significance of the Sharpe ratio depends on (`target.quant.backtest.Evidence`).
    """

    __tablename__ = "backtests"
    __table_args__ = (Index("ix_backtests_latest", "strategy_name", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    job_id: Mapped[str] = mapped_column(byte_ordered(32), unique=True, index=True)
    backtest_id: Mapped[str] = mapped_column(byte_ordered(120))
    strategy_name: Mapped[str] = mapped_column(byte_ordered(100))
    completed_at: Mapped[datetime] = mapped_column(DateTime)
    config: Mapped[dict[str, Any]] = mapped_column(_JSON)
    metrics: Mapped[dict[str, str]] = mapped_column(_JSON)
    final_value: Mapped[float | None] = mapped_column(Float)
    weights: Mapped[dict[str, float]] = mapped_column(_JSON)
    evidence: Mapped[dict[str, Any]] = mapped_column(_JSON)
    execution_time_s: Mapped[float] = mapped_column(Float)


class Scan(Base):
    """What a scan found. Source: contract section 4.7; `stocks` are in the order of the answer."""

    __tablename__ = "scans"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    job_id: Mapped[str] = mapped_column(byte_ordered(32), unique=True, index=True)
    generated_at: Mapped[datetime] = mapped_column(DateTime)
    scanner_type: Mapped[str] = mapped_column(BYTE_ORDERED_TEXT)
    universe: Mapped[str] = mapped_column(BYTE_ORDERED_TEXT)
    tickers_scanned: Mapped[int] = mapped_column(Integer)
    filters: Mapped[dict[str, Any]] = mapped_column(_JSON)
    stocks: Mapped[list[dict[str, Any]]] = mapped_column(_JSON)
