"""PostgreSQL as the destination of a migration: one transaction, COPY, sequences set last."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from harness.adapters.postgres import postgres_errors, read_rows
from harness.adapters.postgres_catalog import Catalog, read_catalog
from harness.adapters.postgres_dsn import connect
from harness.domain.cell_values import cell_text
from harness.domain.errors import DataRefused
from harness.domain.migration import TableLoad
from harness.domain.rows import DatabaseState
from harness.domain.sqlite_rows import quote_name

_LOCK_TIMEOUT_MS = 10_000
_REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)


class PostgresTarget:
    """A database to migrate into; connects for each transaction."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def read(self) -> DatabaseState:
        """All tables but bookkeeping, as of one moment."""
        async with self.transaction(commit=False, is_exclusive=False) as load:
            return await load.read()

    @asynccontextmanager
    async def transaction(self, *, commit: bool, is_exclusive: bool = True) -> "AsyncIterator[PostgresLoad]":
        """Commits at the end if `commit`; while exclusive, nobody else writes to the tables.

        Raises:
            ConfigurationError: the address is malformed.
            SystemUnavailable: the server does not answer, or somebody keeps a table locked.
        """
        async with postgres_errors(self._dsn):
            connection = await connect(self._dsn)
            try:
                transaction = connection.transaction(isolation="read_committed" if is_exclusive else "repeatable_read")
                await transaction.start()
                try:
                    yield await _open(connection, is_exclusive=is_exclusive)
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

    async def read(self) -> DatabaseState:
        """All tables but bookkeeping."""
        return await read_rows(self._connection, self._catalog)

    async def copy(self, load: TableLoad) -> None:
        """Writes the rows with COPY.

        Raises:
            DataRefused: the server refuses a row; names it where the server tells its line.
        """
        if not load.rows:
            return
        try:
            await self._connection.copy_records_to_table(
                load.target_table, records=load.rows, columns=list(load.columns)
            )
        except _REFUSALS as error:
            where = f"table {load.target_table}{_row_of(error, load)}"
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


async def _open(connection: Any, *, is_exclusive: bool) -> PostgresLoad:
    catalog = await read_catalog(connection)
    if is_exclusive and catalog.schemas:
        names = ", ".join(map(quote_name, catalog.schemas))
        await connection.execute(
            "SET CONSTRAINTS ALL DEFERRED; "
            f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}; LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"
        )
    return PostgresLoad(connection, catalog)


def _row_of(error: Exception, load: TableLoad) -> str:
    line = re.search(r"line (\d+)", str(getattr(error, "context", "") or ""))
    if line is None or not 1 <= int(line[1]) <= len(load.rows):
        return ""
    row = dict(zip(load.columns, load.rows[int(line[1]) - 1], strict=True))
    first = load.columns[0]
    return f", row {first}={cell_text(row[first])}"
