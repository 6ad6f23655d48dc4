"""PostgreSQL as the destination of a migration: one transaction, COPY, sequences set last."""

import re
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_catalog import Catalog, read_catalog
from harness.adapters.postgres_dsn import connect
from harness.adapters.postgres_reader import READABLE, PostgresReader
from harness.domain.errors import DataRefused
from harness.domain.sqlite_rows import quote_name

_LOCK_TIMEOUT_MS = 10_000
_KEPT_BLOCKS = 50
_REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)


class PostgresTarget:
    """A database to migrate into; connects for each transaction."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @asynccontextmanager
    async def transaction(self, *, commit: bool) -> "AsyncIterator[PostgresLoad]":
        """Commits at the end if `commit`; nobody else writes to the tables meanwhile.

        Raises:
            ConfigurationError: the address is malformed.
            SystemUnavailable: the server does not answer, or somebody keeps a table locked.
        """
        async with postgres_errors(self._dsn):
            connection = await connect(self._dsn)
            try:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    yield await _open(connection)
                    await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                except BaseException:
                    await transaction.rollback()
                    raise
                await (transaction.commit() if commit else transaction.rollback())
            finally:
                await connection.close()


class PostgresLoad:
    """Implements OpenLoad."""

    def __init__(self, connection: Any, catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog

    @property
    def enums(self) -> Mapping[str, Sequence[str]]:
        """Labels by type name."""
        return self._catalog.enums

    @property
    def order(self) -> Sequence[str]:
        """Tables, referenced ones first."""
        return self._catalog.order

    @asynccontextmanager
    async def open_reader(self) -> AsyncIterator[PostgresReader]:
        """What this transaction sees, its own rows included."""
        yield PostgresReader(self._connection, self._catalog)

    async def count_rows(self) -> Mapping[str, int]:
        """Rows by table."""
        return {
            name: await self._connection.fetchval(f"SELECT count(*) FROM {quote_name(name)}")  # noqa: S608
            for name in self._catalog.schemas
        }

    async def copy(self, table: str, columns: Sequence[str], lines: AsyncIterator[bytes]) -> None:
        """Writes lines in COPY's text format.

        Raises:
            DataRefused: the server refuses a row; names it where the server tells its line.
        """
        kept = _LastLines(lines)
        try:
            await self._connection.copy_to_table(table, source=kept, columns=list(columns), format="text")
        except _REFUSALS as error:
            where = f"table {table}{kept.row_of(error, columns)}"
            hint = "Correct the row in a copy of the legacy file and migrate that copy; nothing was written."
            detail = getattr(error, "detail", None)
            raise DataRefused(f"the target refuses: {detail or error}", where=where, hint=hint) from error

    async def align_sequences(self) -> tuple[str, ...]:
        """Sets every owned sequence that is behind its column to the column's greatest value."""
        moved = []
        for (table, column), sequence in self._catalog.owned_sequences.items():
            greatest = await self._connection.fetchval(
                f"SELECT max({quote_name(column)}) FROM {quote_name(table)}"  # noqa: S608 - quoted names
            )
            last, is_called = await self._connection.fetchrow(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
            if greatest is not None and greatest > (last if is_called else last - 1):
                await self._connection.execute("SELECT setval($1::text::regclass, $2)", sequence, greatest)
                moved.append(f"{sequence} = {greatest}")
        return tuple(moved)


async def _open(connection: Any) -> PostgresLoad:
    catalog = await read_catalog(connection)
    await connection.execute(READABLE)
    if catalog.schemas:
        names = ", ".join(map(quote_name, catalog.schemas))
        await connection.execute(
            "SET CONSTRAINTS ALL DEFERRED; "
            f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}; LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"
        )
    return PostgresLoad(connection, catalog)


class _LastLines:
    """Hands lines on and remembers the last ones, among which the server may find one that it refuses."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_BLOCKS)
        self._count = 0

    def __aiter__(self) -> "_LastLines":
        return self

    async def __anext__(self) -> bytes:
        block = await anext(self._lines)
        self._kept.append((self._count, block))
        self._count += block.count(b"\n")
        return block

    def row_of(self, error: Exception, columns: Sequence[str]) -> str:
        """The row of the line that the error tells, by its first column."""
        found = re.search(r"line (\d+)", str(getattr(error, "context", "") or ""))
        for first, block in self._kept if found is not None else ():
            lines = block.splitlines()
            if found is not None and first < int(found[1]) <= first + len(lines):
                cell = lines[int(found[1]) - first - 1].split(b"\t")[0].decode()
                return f", row {columns[0]}={cell}"
        return f", line {found[1]}" if found is not None else ""
