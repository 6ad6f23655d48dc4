"""Row parity of a million rows, against plainly reading both sides and against a merge row by row."""

import asyncio
import sqlite3
import time
from contextlib import closing
from statistics import median
from typing import Any

import asyncpg

from bench.measure import Benchmark, Figure, Limit, figure
from bench.row_pair import READ_ALL, RowPair, row_pair
from harness.adapters.postgres_reader import PostgresSource
from harness.adapters.sqlite_reader import SqliteSource
from harness.engine.row_parity import compare_databases

_ROWS = 1_000_000
_ROUNDS = 5
_PREFETCH = 5_000


def _against_reading() -> Figure:
    return asyncio.run(_measure("rows_parity_1m", _read_both))


def _against_merge() -> Figure:
    return asyncio.run(_measure("rows_parity_vs_merge", _merge))


async def _measure(name: str, reference: Any) -> Figure:
    ours, theirs = list[float](), list[float]()
    async with row_pair(_ROWS) as pair:
        for _ in range(_ROUNDS):
            ours.append(await _seconds(_compare, pair))
            theirs.append(await _seconds(reference, pair))
    return figure(name, median(ours), median(theirs), unit="s")


async def _seconds(work: Any, pair: RowPair) -> float:
    started = time.perf_counter()
    seen = await work(pair)
    seconds = time.perf_counter() - started
    if seen != (_ROWS, 0):
        raise RuntimeError(f"{seen[0]} rows seen with {seen[1]} differences: expected {_ROWS} and none")
    return seconds


async def _compare(pair: RowPair) -> tuple[int, int]:
    rows = differences = 0
    async for outcome in compare_databases(SqliteSource(pair.file), PostgresSource(pair.dsn), mapping={}):
        rows += outcome.legacy_rows
        differences += len(outcome.differences)
    return rows, differences


async def _read_both(pair: RowPair) -> tuple[int, int]:
    """First the one, then the other, with the same drivers and as many rows at a time."""
    legacy = target = 0
    with closing(sqlite3.connect(pair.file)) as database:
        read = database.execute(READ_ALL)
        while block := read.fetchmany(_PREFETCH):
            legacy += len(block)
    connection = await asyncpg.connect(pair.dsn)
    try:
        async with connection.transaction():
            cursor = await connection.cursor(READ_ALL)
            while records := await cursor.fetch(_PREFETCH):
                target += len(records)
    finally:
        await connection.close()
    return legacy, legacy - target


async def _merge(pair: RowPair) -> tuple[int, int]:
    """Two cursors side by side; of every cell the type and the value."""
    rows = differences = 0
    connection = await asyncpg.connect(pair.dsn)
    try:
        with closing(sqlite3.connect(pair.file)) as database:
            legacy = database.execute(READ_ALL)
            async with connection.transaction():
                async for record in connection.cursor(READ_ALL, prefetch=_PREFETCH):
                    row = legacy.fetchone()
                    rows += 1
                    differences += not all(map(_is_same, row, record))
    finally:
        await connection.close()
    return rows, differences


def _is_same(cell: Any, other: Any) -> bool:
    kind = type(other)
    if kind is type(cell):
        return bool(cell == other)
    if kind is bool:
        return cell in (0, 1) and type(cell) is int and bool(cell) is other
    if type(cell) is str:
        return bool(other.isoformat(" ", "microseconds") == cell)
    return type(cell) in (int, float) and float(other) == cell


BENCHMARKS = (
    Benchmark(
        name="rows_parity_1m",
        about="a million rows of SQLite and PostgreSQL compared, against reading one side and then the other",
        run=_against_reading,
        limit=Limit(bound=1.5),
    ),
    Benchmark(
        name="rows_parity_vs_merge",
        about="the same, against a merge row by row in Python (types and values of every cell)",
        run=_against_merge,
        limit=Limit(bound=0.5),
    ),
)
