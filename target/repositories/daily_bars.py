"""Recent highs, lows and volumes, as the daily ingest stored them. PostgreSQL only, like the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.market_data import MARKET_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyRange:
    """One ticker's day; prices as traded, not adjusted."""

    ticker: str
    date: date
    high: float
    low: float
    volume: int


async def list_daily_ranges(session: AsyncSession, tickers: Sequence[str], since: date) -> list[DailyRange]:
    """Return the days of these tickers from `since` on that are not flagged bad; none on SQLite."""
    if session.get_bind().dialect.name != "postgresql":
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
