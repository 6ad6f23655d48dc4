"""What each ingest did, and what it could not do. No foreign key, as everywhere here: runs may be pruned alone."""

from datetime import date, datetime

from sqlalchemy import Date, DateTime, Identity, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from target.database.models import Base
from target.database.types import ROW_ID, byte_ordered


class IngestRun(Base):
    """One ingest that came to its end; times are UTC, days are those asked for, both included."""

    __tablename__ = "ingest_runs"
    __table_args__ = (Index("ix_ingest_runs_latest", "universe", "started_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    universe: Mapped[str] = mapped_column(byte_ordered(20))
    start_on: Mapped[date] = mapped_column(Date)
    end_on: Mapped[date] = mapped_column(Date)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    tickers_processed: Mapped[int] = mapped_column(Integer)
    tickers_successful: Mapped[int] = mapped_column(Integer)
    tickers_failed: Mapped[int] = mapped_column(Integer)
    rows_inserted: Mapped[int] = mapped_column(Integer)
    rows_changed: Mapped[int] = mapped_column(Integer)
    rows_unchanged: Mapped[int] = mapped_column(Integer)
    rows_rejected: Mapped[int] = mapped_column(Integer)


class IngestFailure(Base):
    """A ticker that brought nothing (`traded_on` NULL), or one of its rows that could not be kept.

    `failure` is a FailureClass, or `rejected_row`.
    """

    __tablename__ = "ingest_failures"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(ROW_ID, Identity(), primary_key=True)
    run_id: Mapped[int] = mapped_column(ROW_ID, index=True)
    ticker: Mapped[str] = mapped_column(byte_ordered(20), index=True)
    traded_on: Mapped[date | None] = mapped_column(Date)
    failure: Mapped[str] = mapped_column(byte_ordered(30))
    reason: Mapped[str | None] = mapped_column(byte_ordered(200))
