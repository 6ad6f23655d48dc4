"""A PostgreSQL database as ordered streams of rows: one connection, one moment, a block ahead of its reader."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from itertools import count
from typing import Any

import asyncpg

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_catalog import Catalog, has_one_order, ordered_as_bytes, read_catalog
from harness.adapters.postgres_dsn import connect
from harness.domain.row_difference import Key
from harness.domain.row_parity import KeyRange
from harness.domain.rows import Cell, Row, TableSchema
from harness.domain.sqlite_rows import quote_name

BLOCK_ROWS = 5_000
_SIZE = re.compile(r"\(\d+(,-?\d+)?\)")
_WIDEST = {"smallint": "bigint", "integer": "bigint", "real": "double precision"}
"""What holds every number that a key of the other side may be, and is still searched by the column's index."""
READABLE = "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'"
"""What the session of a reader has to be set to."""


class PostgresSource:
    """Implements RowSource."""

    keeps_spellings = False

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
                async with (
                    connection.transaction(isolation="repeatable_read", readonly=True),
                    reading(connection, await read_catalog(connection)) as reader,
                ):
                    yield reader
            finally:
                await connection.close()


@asynccontextmanager
async def reading(connection: Any, catalog: Catalog) -> "AsyncIterator[PostgresReader]":
    """A reader on this connection, which asks nothing any more once the context is left."""
    reader = PostgresReader(connection, catalog)
    try:
        yield reader
    finally:
        await reader.settle()


class PostgresReader:
    """Implements RowReader: times come as text, decimals of up to fifteen digits as doubles."""

    def __init__(self, connection: Any, catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog
        self._ahead: asyncio.Future[Any] | None = None

    async def settle(self) -> None:
        """Waits for the block that is on its way, where whoever read them stopped before it came."""
        if self._ahead is not None:
            await asyncio.wait([self._ahead])

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
        ahead = self._ahead = asyncio.ensure_future(cursor.fetch(BLOCK_ROWS))
        try:
            while block := await ahead:
                ahead = self._ahead = asyncio.ensure_future(cursor.fetch(BLOCK_ROWS))
                await asyncio.sleep(0)  # lets the question leave
                yield block
        finally:
            with suppress(asyncpg.PostgresError):
                await ahead

    async def find_rows(self, table: str, key: Sequence[str], keys: Sequence[Key]) -> Sequence[Row]:
        """The rows that have one of these keys; a key that the columns cannot hold has none."""
        statements: dict[tuple[bool, ...], Any] = {}
        found: list[Row] = []
        for each in keys:
            if any(isinstance(cell, str) and "\0" in cell for cell in each):
                continue
            nulls = tuple(cell is None for cell in each)
            if nulls not in statements:
                statements[nulls] = await self._connection.prepare(self._select_one(table, key, nulls))
            with suppress(asyncpg.DataError):
                async with self._connection.transaction():
                    given = (self._key_text(table, name, cell) for name, cell in zip(key, each, strict=True))
                    found += await statements[nulls].fetch(*(text for text in given if text is not None))
        return found

    def _select_one(self, table: str, key: Sequence[str], nulls: Sequence[bool]) -> str:
        """Asks for a key of these parts; one condition for all, NULLs or not, would search by no index."""
        cells = self._cells(table, self._catalog.schemas[table].column_names)
        given = count(1)
        same = " AND ".join(
            f"{quote_name(name)} " + ("IS NULL" if is_null else f"= {self._given(table, name, next(given))}")
            for name, is_null in zip(key, nulls, strict=True)
        )
        return f"SELECT {cells} FROM {quote_name(table)} WHERE {same}"  # noqa: S608 - quoted names

    def _key_text(self, table: str, name: str, cell: Cell) -> str | None:
        if isinstance(cell, bytes) and self._catalog.casts[table][name] == "uuid":
            return cell.hex()
        return _text(cell)

    def _condition(self, table: str, key: Sequence[str], keys: KeyRange) -> tuple[str, list[str | None]]:
        parts, values = list[str](), list[str | None]()
        for sign, bound in ((">", keys.after), ("<=", keys.upto)):
            if bound is not None:
                given = ", ".join(self._bound(table, name, len(values) + n) for n, name in enumerate(key, 1))
                terms = ", ".join(self._sorted_by(table, name) for name in key)
                # NULL comes first, and so lies behind no bound and up to each.
                may_be_null = sign == "<=" and any(self._may_be_null(table, name) for name in key)
                parts.append(f"(({terms}) > ({given})) IS NOT TRUE" if may_be_null else f"({terms}) {sign} ({given})")
                values += map(_text, bound)
        return (f" WHERE {' AND '.join(parts)}" if parts else ""), values

    def _given(self, table: str, column: str, number: int) -> str:
        # Without its size: a key that is cut or rounded to fit would be another row's.
        kind = _SIZE.sub("", self._catalog.casts[table][column])
        return f"${number}::text::{'bpchar' if kind == 'character' else kind}"

    def _bound(self, table: str, column: str, number: int) -> str:
        """What the column is sorted by, of a given value."""
        kind = self._catalog.casts[table][column]
        if not has_one_order(kind):
            return f"${number}::text"
        return f"${number}::text::{_WIDEST[kind]}" if kind in _WIDEST else self._given(table, column, number)

    def _cells(self, table: str, names: Sequence[str]) -> str:
        return ", ".join(self._catalog.streamed[table][name] for name in names)

    def _order(self, table: str, key: Sequence[str]) -> str:
        # Where it can hold none, the words would keep the order of the key's index from being used.
        return ", ".join(
            self._sorted_by(table, name) + (" NULLS FIRST" if self._may_be_null(table, name) else "") for name in key
        )

    def _sorted_by(self, table: str, name: str) -> str:
        return ordered_as_bytes(name, self._catalog.casts[table][name])

    def _may_be_null(self, table: str, name: str) -> bool:
        return any(each.is_nullable for each in self._catalog.schemas[table].columns if each.name == name)


def _text(cell: Cell) -> str | None:
    if isinstance(cell, bytes):
        return "\\x" + cell.hex()
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    return None if cell is None else str(cell)
