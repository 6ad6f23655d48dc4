"""market_data on PostgreSQL: what the server fills in, refuses and summarises."""

import asyncio
import json
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from target_support import alembic_config

from target.database.urls import async_database_url

INSERT = "INSERT INTO market_data (ticker, date, open, high, low, close, volume) VALUES "
BAR = "('{ticker}', {date}, 10, 12, 9, {close}, 5)"


async def run(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    engine = create_async_engine(async_database_url(url))
    try:
        async with engine.begin() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            return [tuple(row) for row in await connection.execute(text(statements[-1]))]
    finally:
        await engine.dispose()


async def test_the_server_fills_in_source_quality_and_metadata(postgres_url: str):
    bar = BAR.format(ticker="SPY", date="'2024-01-02'", close=11)
    (found,) = await run(postgres_url, INSERT + bar, "SELECT source, data_quality, metadata::text FROM market_data")
    assert (found[0], found[1], json.loads(found[2])) == ("yfinance", "good", {})


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "adjusted_close"])
async def test_a_price_that_is_no_number_is_refused(postgres_url: str, column: str):
    bar = BAR.format(ticker="SPY", date="'2024-01-02'", close=11)
    with pytest.raises(IntegrityError, match="valid_"):
        await run(postgres_url, INSERT + bar, f"UPDATE market_data SET {column} = 'NaN' RETURNING 1")


async def test_views_and_functions_tell_the_latest_day_its_age_and_the_quality(postgres_url: str):
    bars = [BAR.format(ticker="SPY", date=f"current_date - {days}", close=12 - days) for days in (3, 1)]
    bars.append(BAR.format(ticker="QQQ", date="current_date", close=10))
    spoil = "UPDATE market_data SET data_quality = 'suspect' WHERE ticker = 'SPY' AND date = current_date - 3"
    latest = "SELECT ticker, close, days_stale FROM market_data_latest ORDER BY ticker"
    assert await run(postgres_url, INSERT + ", ".join(bars), spoil, latest) == [("QQQ", 10, 0), ("SPY", 11, 1)]
    summary = "SELECT total_rows, good_rows, suspect_rows, bad_rows, last_date - first_date "
    assert await run(postgres_url, f"{summary} FROM market_data_quality_summary WHERE ticker = 'SPY'") == [
        (2, 1, 1, 0, 2)
    ]
    assert await run(postgres_url, "SELECT get_latest_close('SPY'), get_latest_close('NONE')") == [(11, None)]
    spread = "SELECT last_date - first_date, row_count FROM get_ticker_date_range('SPY')"
    assert await run(postgres_url, spread) == [(2, 2)]


def test_rows_from_before_the_defaults_get_them_and_stay_on_the_way_back(postgres_dsn: str):
    config = alembic_config(postgres_dsn)
    command.upgrade(config, "20261124_0002")
    bar = BAR.format(ticker="SPY", date="'2024-01-02'", close=11)
    asyncio.run(run(postgres_dsn, INSERT + bar + " RETURNING 1"))
    command.upgrade(config, "head")
    filled = "SELECT source, data_quality, metadata::text FROM market_data"
    assert asyncio.run(run(postgres_dsn, filled)) == [("yfinance", "good", "{}")]
    command.downgrade(config, "20261124_0002")
    assert asyncio.run(run(postgres_dsn, filled)) == [("yfinance", "good", "{}")]
