"""A SQLite file and a PostgreSQL table with the same rows of eight columns, in the types that a migration gives."""

import asyncio
import random
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from harness.staging.postgres import LocalPostgres

TABLE = "readings"
READ_ALL = f"SELECT id, name, price, quantity, note, taken_at, is_open, fee FROM {TABLE} ORDER BY id"
_START = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_SQLITE = f"""CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, price FLOAT NOT NULL,
quantity INTEGER, note TEXT, taken_at DATETIME, is_open BOOLEAN, fee NUMERIC(12, 4))"""
_POSTGRES = f"""CREATE TABLE {TABLE} (id bigint PRIMARY KEY, name varchar(20) NOT NULL, price double precision NOT NULL,
quantity bigint, note text, taken_at timestamp, is_open boolean, fee numeric(12, 4))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPair:
    """Where the two copies are."""

    file: Path
    dsn: str


@asynccontextmanager
async def row_pair(rows: int) -> AsyncIterator[RowPair]:
    """Both databases, filled; removed when the context is left."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        server = LocalPostgres(Path(directory) / "postgres")
        await server.start()
        try:
            file = Path(directory) / "legacy.db"
            await asyncio.to_thread(_fill_sqlite, file, rows)
            await _fill_postgres(server.dsn, rows)
            yield RowPair(file=file, dsn=server.dsn)
        finally:
            await server.stop()


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    draw = random.Random(7)
    for number in range(1, count + 1):
        taken_at = _START + timedelta(seconds=number, microseconds=draw.randrange(1_000_000))
        note = None if number % 5 == 0 else f"note {number}"
        fee = Decimal(draw.randrange(10_000_000)).scaleb(-4)
        name, price, quantity = f"T{draw.randrange(5000):04d}", draw.random() * 1000, draw.randrange(100_000)
        yield number, name, price, quantity, note, taken_at, number % 2 == 0, fee


def _fill_sqlite(file: Path, count: int) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(_SQLITE)
        database.executemany(
            f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (*first, taken_at.isoformat(" ", "microseconds"), int(is_open), float(fee))
                for *first, taken_at, is_open, fee in _rows(count)
            ),
        )


async def _fill_postgres(dsn: str, count: int) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_POSTGRES)
        await connection.copy_records_to_table(TABLE, records=_rows(count))
        await connection.execute(f"ANALYZE {TABLE}")
    finally:
        await connection.close()
