"""A PostgreSQL database as ordered streams of rows: one connection, one moment, a block ahead of its reader."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from typing import Any

import asyncpg

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_catalog import Catalog, ordered_as_bytes, read_catalog
from harness.adapters.postgres_dsn import connect
from harness.domain.row_difference import Key
from harness.domain.row_parity import KeyRange
from harness.domain.rows import Cell, Row, TableSchema
from harness.domain.sqlite_rows import quote_name

BLOCK_ROWS = 5_000
READABLE = "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'"
"""What the session of a reader has to be set to."""


class PostgresSource:
    """Implements RowSource."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def open_reader(self) -> "AsyncIterator[PostgresReader]":
        """One transaction that sees the rows of its beginning.

        Raises:
            ConfigurationError: the address is malformed.
            SystemUnavailable: the server does not answer.
        """
        async with postgres_errors(self._dsn):
            connection = await connect(self._dsn)
            try:
                await connection.execute(READABLE)
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield PostgresReader(connection, await read_catalog(connection))
            finally:
                await connection.close()


class PostgresReader:
    """Implements RowReader: times come as text, decimals of up to fifteen digits as doubles."""

    def __init__(self, connection: Any, catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog

    async def read_schemas(self) -> Mapping[str, TableSchema]:
        """All tables but bookkeeping."""
        return self._catalog.schemas

    async def find_bound(self, table: str, key: Sequence[str], after: Key | None, rows: int) -> Key | None:
        """The key of the row that lies `rows` rows after `after`; None where there are fewer."""
        where, values = self._condition(table, key, KeyRange(after=after))
        found = await self._connection.fetchrow(
            f"SELECT {self._cells(table, key)} FROM {quote_name(table)}{where} "  # noqa: S608 - quoted names
            f"ORDER BY {self._order(table, key)} LIMIT 1 OFFSET {rows - 1}",
            *values,
        )
        return None if found is None else tuple(found)

    async def read_blocks(self, table: str, key: Sequence[str], keys: KeyRange) -> AsyncIterator[Sequence[Row]]:
        """The rows of a range in key order; the next block is on its way while one is looked at."""
        where, values = self._condition(table, key, keys)
        cells = self._cells(table, self._catalog.schemas[table].column_names)
        order = self._order(table, key)
        sql = f"SELECT {cells} FROM {quote_name(table)}{where} ORDER BY {order}"  # noqa: S608 - quoted names
        cursor = await self._connection.cursor(sql, *values)
        ahead = asyncio.ensure_future(cursor.fetch(BLOCK_ROWS))
        try:
            while block := await ahead:
                ahead = asyncio.ensure_future(cursor.fetch(BLOCK_ROWS))
                await asyncio.sleep(0)  # lets the question leave
                yield block
        finally:
            with suppress(asyncpg.PostgresError):
                await ahead

    async def find_rows(self, table: str, key: Sequence[str], keys: Sequence[Key]) -> Sequence[Row]:
        """The rows that have one of these keys; a key that the columns cannot hold has none."""
        cells = self._cells(table, self._catalog.schemas[table].column_names)
        same = " AND ".join(f"{quote_name(name)} = {self._given(table, name, n)}" for n, name in enumerate(key, 1))
        statement = await self._connection.prepare(f"SELECT {cells} FROM {quote_name(table)} WHERE {same}")  # noqa: S608
        found: list[Row] = []
        for each in keys:
            if any(isinstance(cell, str) and "\0" in cell for cell in each):
                continue
            with suppress(asyncpg.DataError):
                async with self._connection.transaction():
                    found += await statement.fetch(*map(_text, each))
        return found

    def _condition(self, table: str, key: Sequence[str], keys: KeyRange) -> tuple[str, list[str | None]]:
        parts, values = list[str](), list[str | None]()
        for sign, bound in ((">", keys.after), ("<=", keys.upto)):
            if bound is not None:
                given = ", ".join(self._given(table, name, len(values) + n) for n, name in enumerate(key, 1))
                parts.append(f"({self._order(table, key)}) {sign} ({given})")
                values += map(_text, bound)
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), values

    def _given(self, table: str, column: str, number: int) -> str:
        return f"${number}::text::{self._catalog.casts[table][column]}"

    def _cells(self, table: str, names: Sequence[str]) -> str:
        return ", ".join(self._catalog.streamed[table][name] for name in names)

    def _order(self, table: str, key: Sequence[str]) -> str:
        return ", ".join(ordered_as_bytes(name, self._catalog.casts[table][name]) for name in key)


def _text(cell: Cell) -> str | None:
    if isinstance(cell, bytes):
        return "\\x" + cell.hex()
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    return None if cell is None else str(cell)
