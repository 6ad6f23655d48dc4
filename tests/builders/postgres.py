"""One piece of work on a PostgreSQL database, over a connection of its own that is closed behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection, closed at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def execute(dsn: str, script: str) -> None:
    """Runs statements, one after the other."""
    async with connected(dsn) as connection:
        await connection.execute(script)


async def fetch(dsn: str, sql: str) -> list[asyncpg.Record]:
    """The rows of one statement."""
    async with connected(dsn) as connection:
        return list(await connection.fetch(sql))


async def fetch_value(dsn: str, sql: str) -> object:
    """The first cell of one statement's first row, None where there is no row."""
    async with connected(dsn) as connection:
        return await connection.fetchval(sql)
