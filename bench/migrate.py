"""The copy of a million rows into PostgreSQL, beside a plain scan and a COPY of prepared lines, and beside pgloader."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from bench.measure import Benchmark, Figure, Limit, NotMeasurable, figure
from bench.row_pair import READ_ALL, TABLE, RowPair, row_pair
from harness.child import Child
from harness.engine.migration import MigrationOptions
from harness.wiring.migrate import migrate_rows

_ROWS = 1_000_000
_ROUNDS = 5
_PGLOADER_ROUNDS = 3
_PGLOADER_TIMEOUT_S = 600
_AT_ONCE = 5_000
_DIGEST = f"SELECT count(*) || ':' || sum(hashtextextended(r::text, 0)) FROM {TABLE} r"
_LOAD = """LOAD DATABASE FROM sqlite://{file} INTO {dsn}
WITH data only, no truncate, create no tables, create no indexes, reset no sequences;
"""


def against_copy(rows: int = _ROWS) -> Figure:
    """Our copy, and the least that it takes, in seconds."""
    return asyncio.run(_measure_copy(rows))


def against_pgloader(rows: int = _ROWS) -> Figure:
    """Our copy, and pgloader's of the same file into the same table, in seconds.

    Raises:
        NotMeasurable: pgloader is not installed.
    """
    program = shutil.which("pgloader")
    if program is None:
        raise NotMeasurable("pgloader is not installed: apt-get install pgloader")
    return asyncio.run(_measure_pgloader(program, rows))


async def _measure_copy(rows: int) -> Figure:
    ours, plain = list[float](), list[float]()
    async with row_pair(rows) as pair:
        prepared = pair.file.with_suffix(".copy")
        connection = await asyncpg.connect(pair.dsn)
        try:
            await connection.copy_from_table(TABLE, output=prepared)
            for _ in range(_ROUNDS):
                ours.append(await _seconds_of_copy(connection, pair, rows))
                plain.append(await _seconds_of_scan_and_copy(connection, pair, prepared))
        finally:
            await connection.close()
    return figure("migrate_1m", median(ours), median(plain), unit="s")


async def _measure_pgloader(program: str, rows: int) -> Figure:
    ours, theirs = list[float](), list[float]()
    async with row_pair(rows) as pair:
        connection = await asyncpg.connect(pair.dsn)
        try:
            wanted = await connection.fetchval(_DIGEST)
            for _ in range(_PGLOADER_ROUNDS):
                ours.append(await _seconds_of_copy(connection, pair, rows))
                theirs.append(await _seconds_of_pgloader(connection, pair, program))
                if await connection.fetchval(_DIGEST) != wanted:
                    raise RuntimeError("pgloader did not carry every row as it is")
        finally:
            await connection.close()
    return figure("migrate_1m_vs_pgloader", median(ours), median(theirs), unit="s")


async def _seconds_of_copy(connection: Any, pair: RowPair, rows: int) -> float:
    """Until the last row is in its table: what follows is the verification, which has a benchmark of its own."""
    await connection.execute(f"TRUNCATE {TABLE}")
    started = time.perf_counter()
    copied: list[float] = []

    def note(stage: str, _rows: int) -> None:
        if stage == "verified" and not copied:
            copied.append(time.perf_counter() - started)

    migration = await migrate_rows(pair.file, pair.dsn, options=MigrationOptions(on_rows=note))
    if sum(each.verified_rows for each in migration.tables) != rows:
        raise RuntimeError("not every row was migrated")
    return copied[0]


async def _seconds_of_scan_and_copy(connection: Any, pair: RowPair, prepared: Path) -> float:
    await connection.execute(f"TRUNCATE {TABLE}")
    started = time.perf_counter()
    with closing(sqlite3.connect(pair.file)) as database:
        read = database.execute(READ_ALL)
        while read.fetchmany(_AT_ONCE):
            pass
    async with connection.transaction():
        await connection.copy_to_table(TABLE, source=prepared)
    return time.perf_counter() - started


async def _seconds_of_pgloader(connection: Any, pair: RowPair, program: str) -> float:
    await connection.execute(f"TRUNCATE {TABLE}")
    script = pair.file.with_suffix(".load")
    script.write_text(_LOAD.format(file=pair.file, dsn=pair.dsn), encoding="utf-8")
    command = [program, "--root-dir", str(pair.file.parent / "pgloader"), str(script)]
    started = time.perf_counter()
    child = Child.start(command, name="pgloader", log_path=pair.file.with_suffix(".log"))
    try:
        status = await child.wait(timeout_s=_PGLOADER_TIMEOUT_S)
    finally:
        await child.stop()
    if status != 0:
        raise RuntimeError(f"pgloader ended with {status}: {child.tail()}")
    return time.perf_counter() - started


BENCHMARKS = (
    Benchmark(
        name="migrate_1m",
        about="a million rows copied from SQLite into PostgreSQL, against a plain scan and a COPY of a prepared file",
        run=against_copy,
        limit=Limit(bound=2.0),
    ),
    Benchmark(
        name="migrate_1m_vs_pgloader",
        about="the same, against pgloader on the same file, where it is installed",
        run=against_pgloader,
        limit=Limit(bound=1.0),
    ),
)
