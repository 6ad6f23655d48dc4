"""What the daily ingest stored of each ticker. PostgreSQL only, like the table; elsewhere nothing is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.market_data import MARKET_DATA
from target.services.freshness import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRange:
    """One ticker's day; prices as traded, not adjusted."""

    ticker: str
    date: date
    high: float
    low: float
    volume: int


async def list_daily_ranges(session: AsyncSession, tickers: Sequence[str], since: date) -> list[DailyRange]:
    """Return the days of these tickers from `since` on that are not flagged bad."""
    if not _has_table(session):
        return []
    table = MARKET_DATA.c
    rows = await session.execute(
        select(table.ticker, table.date, table.high, table.low, table.volume)
        .where(table.ticker.in_(tickers), table.date >= since, table.data_quality.is_distinct_from("bad"))
        .order_by(table.ticker, table.date)
    )
    return [
        DailyRange(ticker=ticker, date=day, high=float(high), low=float(low), volume=volume)
        for ticker, day, high, low, volume in rows
    ]


async def list_latest_days(session: AsyncSession, tickers: Collection[str]) -> dict[str, Stored]:
    """Return by ticker its latest day and when anything of it was last written."""
    if not _has_table(session):
        return {}
    table = MARKET_DATA.c
    statement = (
        select(table.ticker, func.max(table.date), func.max(table.updated_at))
        .where(table.ticker.in_(tickers))
        .group_by(table.ticker)
    )
    rows = await session.execute(statement)
    return {ticker: Stored(latest_on=day, updated_at=_naive(at)) for ticker, day, at in rows}


def _has_table(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _naive(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None)
