"""Whether a database has changed at all, in a fraction of the time that reading its rows takes."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from harness.adapters.postgres_dsn import connect
from harness.domain.errors import HarnessError
from harness.domain.ports import StateStore, SupportsRecovery
from harness.domain.rows import DatabaseState
from harness.uninterrupted import uninterrupted

_BUSY_S = 1.0


class ChangeProbe(Protocol):
    """Yields a token: equal tokens guarantee that nothing was committed in between, None that it cannot be told."""

    async def token(self) -> object:
        """The token of this moment."""

    async def close(self) -> None:
        """Closes the probe's own connection."""


class SqliteProbe:
    """Asks a connection of its own for `data_version`, which changes with every commit of any other.

    Source: https://www.sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def token(self) -> object:
        """The version, or None while the file cannot be read."""
        try:
            if self._connection is None:
                address = self._path.resolve().as_uri() + "?mode=ro"
                self._connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S)
            return self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return None

    async def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresProbe:
    """Asks for the snapshot: a transaction that writes takes an id, and its commit changes every later snapshot.

    Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Any = None

    @uninterrupted
    async def token(self) -> object:
        """The snapshot as text, or None while the server cannot be asked."""
        try:
            if self._connection is None:
                self._connection = await connect(self._dsn)
            return await self._connection.fetchval("SELECT pg_current_snapshot()::text")
        except (HarnessError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self.close()
            return None

    @uninterrupted
    async def close(self) -> None:
        """Closes the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError):
                await connection.close(timeout=_BUSY_S)


class ProbedStore:
    """A StateStore that can also say cheaply whether anything changed."""

    def __init__(self, store: StateStore, probe: ChangeProbe) -> None:
        self._store = store
        self._probe = probe

    async def change_token(self) -> object:
        """Equal tokens guarantee equal rows; None means that it cannot be told."""
        return await self._probe.token()

    async def require_disposable(self) -> None:
        """As the store does."""
        await self._store.require_disposable()

    async def capture(self) -> None:
        """As the store does."""
        await self._store.capture()

    async def recover(self) -> None:
        """As the store does; nothing where it keeps no state."""
        if isinstance(self._store, SupportsRecovery):
            await self._store.recover()

    async def restore(self) -> None:
        """As the store does."""
        await self._store.restore()

    async def read(self) -> DatabaseState:
        """As the store does."""
        return await self._store.read()

    @uninterrupted
    async def close(self) -> None:
        """Closes probe and store."""
        await self._probe.close()
        await self._store.close()
