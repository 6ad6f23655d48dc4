"""Databases that hold the same, in every value that both can store: no difference, and nothing to read twice."""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

from harness.adapters import postgres_reader, sqlite_reader
from harness.engine.rows import RowParityOptions
from harness.settings import RowsSettings
from harness.wiring.parity import RowParity, RowParityRequest, compare_rows
from tests.builders.postgres import connected
from tests.builders.storable_values import (
    POSTGRES_ONLY,
    SHARES,
    TEXTUAL,
    StorableColumn,
    fill_textual,
    storable_columns,
    textual_rows,
)

_OPTIONS = RowParityOptions(partition_rows=400, recheck_after_s=0)
_EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"


@pytest.fixture(autouse=True)
def _uneven_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two sides' blocks do not end at the same row."""
    monkeypatch.setattr(sqlite_reader, "BLOCK_ROWS", 97)
    monkeypatch.setattr(postgres_reader, "BLOCK_ROWS", 61)


@pytest.fixture(scope="module")
def databases(postgres_server: Any) -> Iterator[tuple[str, str]]:
    """Two, for all of these tests: each begins by emptying them, which is cheaper than new ones."""
    names = ("clean_one", "clean_two")
    for name in names:
        postgres_server.psql(f"CREATE DATABASE {name};")
    yield tuple(str(postgres_server.get_uri(database=name)) for name in names)  # type: ignore[misc]
    for name in names:
        postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")


async def _compare(legacy: str, target: str) -> RowParity:
    request = RowParityRequest(legacy=legacy, target_dsn=target, rows=RowsSettings(), options=_OPTIONS)
    return await compare_rows(request)


def _rows(columns: Sequence[StorableColumn], side: int) -> list[tuple[Any, ...]]:
    """As many rows as the longest column has cells; the shorter ones begin again."""
    count = max(len(column.cells) for column in columns)
    cells = [[pair[side] for pair in islice(cycle(column.cells), count)] for column in columns]
    return [(number, *row) for number, row in enumerate(zip(*cells, strict=True))]


def _keyed(columns: Sequence[StorableColumn], side: int) -> dict[str, list[tuple[Any, ...]]]:
    """Per column a table whose key it is: its distinct values, in whichever order each database has them."""
    found = {}
    for column in columns:
        distinct = {repr(pair[1]): pair[side] for pair in column.cells if pair[1] is not None}
        found[f"by_{column.name}"] = [(cell, number) for number, cell in enumerate(distinct.values())]
    return found


# Its own spelling of times is what orders a SQLite table: those that differ from ours would meet late.
_KEYS = frozenset({"small", "whole", "big", "fee", "note", "raw", "day"})


def _fill_sqlite(path: Path, columns: Sequence[StorableColumn]) -> None:
    declared = ", ".join(f'"{each.name}" {each.sqlite_type}' for each in columns)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE cells (id INTEGER PRIMARY KEY, {declared})")
        marks = ", ".join("?" * (len(columns) + 1))
        database.executemany(f"INSERT INTO cells VALUES ({marks})", _rows(columns, 0))
        keys = [each for each in columns if each.name in _KEYS]
        for column, (table, rows) in zip(keys, _keyed(keys, 0).items(), strict=True):
            database.execute(f"CREATE TABLE {table} (k {column.sqlite_type} PRIMARY KEY, n INTEGER)")
            database.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
        declared = ", ".join(f"{name} {kind}" for name, (kind, _, _) in TEXTUAL.items())
        database.execute(f"CREATE TABLE texts (id INTEGER PRIMARY KEY, {declared})")
        marks = ", ".join("?" * (len(TEXTUAL) + 1))
        database.executemany(f"INSERT INTO texts VALUES ({marks})", textual_rows(TEXTUAL))


async def _fill_postgres(dsn: str, columns: Sequence[StorableColumn]) -> None:
    async with connected(dsn) as connection:
        declared = ", ".join(f'"{each.name}" {each.postgres_type}' for each in columns)
        await connection.execute(f"{_EMPTY} CREATE TABLE cells (id bigint PRIMARY KEY, {declared})")
        await connection.copy_records_to_table("cells", records=_rows(columns, 1))
        keys = [each for each in columns if each.name in _KEYS]
        for column, (table, rows) in zip(keys, _keyed(keys, 1).items(), strict=True):
            await connection.execute(f"CREATE TABLE {table} (k {column.postgres_type} PRIMARY KEY, n integer)")
            await connection.copy_records_to_table(table, records=rows)
        await fill_textual(connection, "texts", TEXTUAL)


@pytest.mark.parametrize("share", range(SHARES))
async def test_clean_databases_have_no_difference(tmp_path: Path, databases: tuple[str, str], share: int) -> None:
    columns = storable_columns(share)
    _fill_sqlite(tmp_path / "legacy.db", columns)
    await _fill_postgres(databases[0], columns)
    found = await _compare(str(tmp_path / "legacy.db"), databases[0])
    assert [each.pointer for each in found.first] == []
    assert found.settled == 0
    assert found.legacy_rows == found.target_rows > 1_500


async def test_two_clean_postgresql_databases_have_no_difference(databases: tuple[str, str]) -> None:
    columns = storable_columns(SHARES - 1)
    for dsn in databases:
        await _fill_postgres(dsn, columns)
        async with connected(dsn) as connection:
            await fill_textual(connection, "others", POSTGRES_ONLY)
    found = await _compare(*databases)
    assert [each.pointer for each in found.first] == []
    assert found.settled == 0


def test_the_databases_cover_every_code_point_exponent_year_and_offset() -> None:
    held: dict[str, set[Any]] = {"note": set(), "double": set(), "at": set(), "seen": set(), "raw": set()}
    for share in range(SHARES):
        for column in storable_columns(share):
            if column.name in held:
                held[column.name] |= {pair[1] for pair in column.cells if pair[1] is not None}
    letters = {letter for text in held["note"] for letter in text}
    assert len(letters) == 0x10FFFF - 0x800  # all but NUL and the surrogates
    assert {math.frexp(each)[1] for each in held["double"] if math.isfinite(each)} >= set(range(-1073, 1025))
    assert {each.year for each in held["at"]} == set(range(1, 10_000))
    assert len({each.utcoffset() for each in held["seen"]}) == 2 * 959 + 1
    assert {each for each in held["raw"] if len(each) == 1} == {bytes([each]) for each in range(256)}
