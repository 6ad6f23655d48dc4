"""The target's PostgreSQL database as a StateStore: captured, restored and read over one connection."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from harness.adapters.postgres_catalog import Catalog, read_catalog
from harness.adapters.postgres_dsn import connect, redact_dsn
from harness.adapters.postgres_snapshot import find_facts, keep_facts
from harness.domain.errors import ConfigurationError, HarnessError, SystemUnavailable
from harness.domain.rows import DatabaseState, TableRows
from harness.domain.sqlite_rows import MARKER_TABLE, quote_name
from harness.uninterrupted import uninterrupted

SNAPSHOT_SCHEMA = "parakeet_snapshot"
_LOCK_TIMEOUT_MS = 5_000
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Restored:
    """A table as the last restore left it: every row carries that transaction's id."""

    xid: str
    rows: int


async def mark_disposable(dsn: str) -> None:
    """Writes the marker that lets `PostgresState` overwrite this database; safe to repeat."""
    async with postgres_errors(dsn):
        connection = await connect(dsn)
        try:
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {MARKER_TABLE} (marked_at timestamptz NOT NULL DEFAULT now())"
            )
        finally:
            await connection.close()


async def empty_tables(dsn: str, tables: Sequence[str]) -> None:
    """Removes every row of those of the tables that are there, from a database that is marked as disposable.

    Raises:
        ConfigurationError: the database carries no marker; nothing was written.
    """
    state = PostgresState(dsn)
    try:
        await state.require_disposable()
    finally:
        await state.close()
    async with postgres_errors(dsn):
        connection = await connect(dsn)
        try:
            schemas = (await read_catalog(connection)).schemas
            names = ", ".join(quote_name(name) for name in tables if name in schemas)
            if names:
                await connection.execute(f"TRUNCATE {names}")
        finally:
            await connection.close()


async def read_rows(connection: Any, catalog: Catalog) -> DatabaseState:
    """Every table of the catalogue in key order; the caller provides the transaction."""
    return {
        name: TableRows(schema=schema, rows=tuple(map(tuple, await connection.fetch(catalog.selects[name]))))
        for name, schema in catalog.schemas.items()
    }


class PostgresState:
    """Implements StateStore; connections of the application stay valid over a restore.

    Every call is done when it returns or raises, though it be cancelled: no transaction stays open behind it.
    The snapshot lies in a schema of its own in the same database and is dropped by `close`. It outlives a process that
    is killed: with the same `owner` another one can `recover` the state from it.
    """

    def __init__(self, dsn: str, *, owner: str = "", lock_timeout_ms: int = _LOCK_TIMEOUT_MS) -> None:
        self._dsn = dsn
        self._owner = owner
        self._lock_timeout_ms = lock_timeout_ms
        self._open: Any = None
        self._turn = asyncio.Lock()
        self._catalog: Catalog | None = None
        self._sequences: dict[str, tuple[int, bool]] = {}
        self._restored: dict[str, _Restored] = {}
        self._is_captured = False

    @uninterrupted
    async def require_disposable(self) -> None:
        """Raises ConfigurationError unless the database carries the marker."""
        async with self._session() as connection:
            found = await connection.fetchval(_IS_MARKED)
        self._refuse_unless(found)

    @uninterrupted
    async def capture(self) -> None:
        """Copies every table into the snapshot schema, in one transaction.

        Raises:
            ConfigurationError: the database carries no marker; nothing was written.
        """
        await self.require_disposable()
        async with self._session() as connection, connection.transaction(isolation="repeatable_read"):
            catalog = await read_catalog(connection)
            await connection.execute(_capture_script(catalog))
            self._sequences = await _read_sequences(connection, catalog.sequences)
            await keep_facts(connection, SNAPSHOT_SCHEMA, self._owner, self._sequences)
        self._catalog, self._restored, self._is_captured = catalog, {}, True

    @uninterrupted
    async def recover(self) -> None:
        """Brings back what a process of the same owner had captured and did not live to restore, if there is one.

        Raises:
            ConfigurationError: the database carries no marker; nothing was written.
            SystemUnavailable: the server is gone, or somebody keeps a table locked.
        """
        async with self._session() as connection, connection.transaction():
            sequences = await find_facts(connection, SNAPSHOT_SCHEMA, self._owner) if self._owner else None
            if sequences is not None:
                self._catalog, self._sequences, self._restored = await read_catalog(connection), sequences, {}
                await self._restore(connection, self._catalog)
                self._is_captured = True

    @uninterrupted
    async def restore(self) -> None:
        """Brings the captured rows and sequences back in one transaction.

        Tables whose rows all stem from the last restore are left alone: their row versions prove it.

        Raises:
            ConfigurationError: the database carries no marker; nothing was written.
            SystemUnavailable: the server is gone, or somebody keeps a table locked.
        """
        if not self._is_captured or self._catalog is None:
            raise HarnessError("restore was called before capture", where=redact_dsn(self._dsn))
        async with self._session() as connection, connection.transaction():
            await self._restore(connection, self._catalog)

    @uninterrupted
    async def read(self) -> DatabaseState:
        """All rows of all tables but bookkeeping, as of one moment."""
        async with self._session() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            self._catalog = self._catalog or await read_catalog(connection)
            return await read_rows(connection, self._catalog)

    @uninterrupted
    async def close(self) -> None:
        """Drops the snapshot and closes the connection; the application's tables stay as they are.

        Where the server is gone the snapshot stays too; the next capture replaces it.
        """
        try:
            if self._is_captured:
                with suppress(SystemUnavailable):
                    async with self._session() as connection:
                        await connection.execute(f"DROP SCHEMA IF EXISTS {SNAPSHOT_SCHEMA} CASCADE")
        finally:
            self._is_captured = False
            connection, self._open = self._open, None
            if connection is not None:
                await connection.close()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        """The one connection; a broken one is dropped, so that the next call opens another."""
        async with self._turn, postgres_errors(self._dsn):
            if self._open is None or self._open.is_closed():
                self._open = await connect(self._dsn)
            try:
                yield self._open
            except (*_BROKEN, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError):
                self._open.terminate()
                self._open = None
                raise

    async def _restore(self, connection: Any, catalog: Catalog) -> None:
        tables = tuple(catalog.schemas)
        await connection.execute(_lock_script(tables, self._lock_timeout_ms))
        self._refuse_unless(await connection.fetchval(_IS_MARKED))
        changed = await self._changed_tables(connection, tables)
        if changed:
            changed = tables if catalog.has_foreign_keys else changed  # TRUNCATE takes all that refer to each other
            await connection.execute(_restore_script(catalog, changed))
            await self._remember(connection, changed)
        now = await _read_sequences(connection, catalog.sequences)
        behind = {name: value for name, value in self._sequences.items() if now.get(name) != value}
        if behind:
            await connection.execute(_sequence_script(behind))

    async def _changed_tables(self, connection: Any, tables: Sequence[str]) -> tuple[str, ...]:
        known = {name: restored.xid for name, restored in self._restored.items()}
        unchanged = {
            name
            for name, rows, newer in await _counts(connection, known)
            if not newer and rows == self._restored[name].rows
        }
        return tuple(name for name in tables if name not in unchanged)

    async def _remember(self, connection: Any, tables: Sequence[str]) -> None:
        xid = await connection.fetchval("SELECT pg_current_xact_id()::xid::text")
        for name, rows, _ in await _counts(connection, dict.fromkeys(tables, xid)):
            self._restored[name] = _Restored(xid=xid, rows=rows)

    def _refuse_unless(self, is_marked: bool) -> None:
        if not is_marked:
            raise ConfigurationError(
                "the database is not marked as disposable, so nothing was touched",
                where=redact_dsn(self._dsn),
                hint="If its contents may be overwritten, run `parakeet prepare --target-dsn DSN`.",
            )


_IS_MARKED = f"SELECT to_regclass(format('%I.%I', current_schema(), '{MARKER_TABLE}')) IS NOT NULL"


def _capture_script(catalog: Catalog) -> str:
    copies = [
        f"CREATE UNLOGGED TABLE {SNAPSHOT_SCHEMA}.{quote_name(name)} AS TABLE {quote_name(name)}"
        for name in catalog.schemas
    ]
    fresh = [f"DROP SCHEMA IF EXISTS {SNAPSHOT_SCHEMA} CASCADE", f"CREATE SCHEMA {SNAPSHOT_SCHEMA}"]
    return "; ".join([*fresh, *copies])


def _lock_script(tables: Sequence[str], timeout_ms: int) -> str:
    # A disposable database need not survive a crash, so no commit waits for the disk.
    settings = f"SET LOCAL lock_timeout = {timeout_ms}; SET LOCAL synchronous_commit = off"
    names = ", ".join(map(quote_name, tables))
    return f"{settings}; LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE" if names else settings


def _restore_script(catalog: Catalog, tables: Sequence[str]) -> str:
    statements = [f"TRUNCATE {', '.join(map(quote_name, tables))}"]
    if catalog.has_foreign_keys:
        statements.insert(0, "SET CONSTRAINTS ALL DEFERRED")
    for name in (name for name in catalog.order if name in tables):
        columns = ", ".join(map(quote_name, catalog.writable[name]))
        statements.append(
            f"INSERT INTO {quote_name(name)} ({columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - quoted names
            f"SELECT {columns} FROM {SNAPSHOT_SCHEMA}.{quote_name(name)}"
        )
    return "; ".join(statements)


async def _counts(connection: Any, xids: Mapping[str, str]) -> list[tuple[str, int, int]]:
    """Per table: its rows, and how many of them another transaction than the given one wrote."""
    if not xids:
        return []
    counts = (
        f"SELECT {_literal(name)}, count(*), count(*) FILTER (WHERE xmin <> '{xid}'::xid) FROM {quote_name(name)}"  # noqa: S608
        for name, xid in xids.items()
    )
    return [tuple(row) for row in await connection.fetch(" UNION ALL ".join(counts))]


async def _read_sequences(connection: Any, names: Sequence[str]) -> dict[str, tuple[int, bool]]:
    if not names:
        return {}
    states = (f"SELECT {_literal(name)}, last_value, is_called FROM {name}" for name in names)  # noqa: S608
    return {name: (last, called) for name, last, called in await connection.fetch(" UNION ALL ".join(states))}


def _sequence_script(values: Mapping[str, tuple[int, bool]]) -> str:
    calls = (f"SELECT setval({_literal(name)}, {last}, {called})" for name, (last, called) in values.items())
    return "; ".join(calls)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@asynccontextmanager
async def postgres_errors(dsn: str) -> AsyncIterator[None]:
    """Turns the driver's errors into ours, naming the database."""
    try:
        yield
    except asyncpg.LockNotAvailableError as error:
        hint = "Somebody holds a transaction open there: look at pg_stat_activity and end it."
        raise SystemUnavailable("a table stayed locked", where=redact_dsn(dsn), hint=hint) from error
    except asyncpg.DiskFullError as error:
        hint = "Make room on its disk; what was begun is rolled back, and `migrate --resume` goes on from there."
        raise SystemUnavailable(
            f"the disk of the database is full: {error}", where=redact_dsn(dsn), hint=hint
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        hint = "Connect as the owner of the tables."
        raise ConfigurationError(f"PostgreSQL refuses: {error}", where=redact_dsn(dsn), hint=hint) from error
    except (asyncpg.PostgresError, *_BROKEN) as error:
        hint = "Check that the server is up and its tables exist (`alembic upgrade head`)."
        raise SystemUnavailable(f"PostgreSQL: {error}", where=redact_dsn(dsn), hint=hint) from error
