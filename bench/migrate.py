"""The copy of a million rows into PostgreSQL, against a plain scan of the file and a COPY of prepared lines."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from statistics import median

import asyncpg

from bench.measure import Benchmark, Figure, Limit, figure
from bench.row_pair import READ_ALL, TABLE, RowPair, row_pair
from harness.engine.migration import MigrationOptions
from harness.wiring.migrate import migrate_rows

_ROWS = 1_000_000
_ROUNDS = 5
_AT_ONCE = 5_000


def _run() -> Figure:
    return asyncio.run(_measure())


async def _measure() -> Figure:
    ours, plain = list[float](), list[float]()
    async with row_pair(_ROWS) as pair:
        prepared = pair.file.with_suffix(".copy")
        connection = await asyncpg.connect(pair.dsn)
        try:
            await connection.copy_from_table(TABLE, output=prepared)
            for _ in range(_ROUNDS):
                ours.append(await _seconds_of_copy(connection, pair))
                plain.append(await _seconds_of_scan_and_copy(connection, pair, prepared))
        finally:
            await connection.close()
    return figure("migrate_1m", median(ours), median(plain), unit="s")


async def _seconds_of_copy(connection: "asyncpg.Connection[asyncpg.Record]", pair: RowPair) -> float:
    """Until the last row is copied: what follows is the verification, which has a benchmark of its own."""
    await connection.execute(f"TRUNCATE {TABLE}")
    started = time.perf_counter()
    copied: list[float] = []

    def note(stage: str, _rows: int) -> None:
        if stage == "verified" and not copied:
            copied.append(time.perf_counter() - started)

    migration = await migrate_rows(pair.file, pair.dsn, options=MigrationOptions(on_rows=note))
    if sum(each.verified_rows for each in migration.tables) != _ROWS:
        raise RuntimeError("not every row was migrated")
    return copied[0]


async def _seconds_of_scan_and_copy(
    connection: "asyncpg.Connection[asyncpg.Record]", pair: RowPair, prepared: Path
) -> float:
    await connection.execute(f"TRUNCATE {TABLE}")
    started = time.perf_counter()
    with closing(sqlite3.connect(pair.file)) as database:
        read = database.execute(READ_ALL)
        while read.fetchmany(_AT_ONCE):
            pass
    async with connection.transaction():
        await connection.copy_to_table(TABLE, source=prepared)
    return time.perf_counter() - started


BENCHMARKS = (
    Benchmark(
        name="migrate_1m",
        about="a million rows copied from SQLite into PostgreSQL, against a plain scan and a COPY of a prepared file",
        run=_run,
        limit=Limit(bound=2.0),
    ),
)
