"""PostgreSQL as the destination of a migration: one transaction, COPY, sequences set last."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_catalog import Catalog, read_catalog
from harness.adapters.postgres_copy import REFUSALS, copy_lines, refused
from harness.adapters.postgres_dsn import connect
from harness.adapters.postgres_reader import READABLE, PostgresReader, reading
from harness.adapters.postgres_staging import PostgresStaging, merge_staged
from harness.domain.sqlite_rows import quote_name

_LOCK_TIMEOUT_MS = 10_000
_IS_OURS = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = $1::text::regclass"


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
                    await _check_constraints(connection)
                except BaseException:
                    if not connection.is_closed():  # what broke the connection is to be told, and has rolled back
                        await transaction.rollback()
                    raise
                await (transaction.commit() if commit else transaction.rollback())
            finally:
                await connection.close()

    @asynccontextmanager
    async def staging(self) -> "AsyncIterator[PostgresStaging]":
        """Where rows wait until all are there, on a connection of its own.

        Raises:
            ConfigurationError: the address is malformed, or its user may not make a schema.
            SystemUnavailable: the server does not answer, or its disk is full.
        """
        async with postgres_errors(self._dsn):
            connection = await connect(self._dsn)
            try:
                await connection.execute(f"{READABLE}; SET lock_timeout = {_LOCK_TIMEOUT_MS}")
                yield PostgresStaging(connection)
            finally:
                await connection.close()


class PostgresLoad:
    """Implements OpenLoad."""

    keeps_spellings = False

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
        async with reading(self._connection, self._catalog) as reader:
            yield reader

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
        await copy_lines(self._connection, table, columns, lines)

    async def merge(self, table: str, columns: Sequence[str]) -> int:
        """Takes in the rows that wait for a table; returns how many.

        Raises:
            DataRefused: a constraint refuses a row.
        """
        return await merge_staged(self._connection, table, columns)

    async def drop_staging(self) -> None:
        """Removes what waited, with this transaction."""
        await PostgresStaging(self._connection).discard()

    async def align_sequences(self) -> tuple[str, ...]:
        """Sets every owned sequence that is behind its column to the column's greatest value.

        It is undone with this transaction, but for a sequence of another owner.
        """
        moved = []
        for (table, column), sequence in self._catalog.owned_sequences.items():
            greatest = await self._connection.fetchval(
                f"SELECT max({quote_name(column)}) FROM {quote_name(table)}"  # noqa: S608 - quoted names
            )
            last, is_called = await self._connection.fetchrow(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
            if greatest is not None and greatest > (last if is_called else last - 1):
                await _set_sequence(self._connection, sequence, greatest)
                moved.append(f"{sequence} = {greatest}")
        return tuple(moved)


async def _set_sequence(connection: Any, sequence: str, value: int) -> None:
    # A value that is set outlives a rollback, unless the sequence was begun anew in the same transaction.
    if await connection.fetchval(_IS_OURS, sequence):
        await connection.execute(f"ALTER SEQUENCE {sequence} RESTART")
    await connection.execute("SELECT setval($1::text::regclass, $2)", sequence, value)


async def _check_constraints(connection: Any) -> None:
    try:
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except REFUSALS as error:
        raise refused(error, f"table {getattr(error, 'table_name', None) or 'unknown'}") from error


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
