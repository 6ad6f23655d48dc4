"""A table as a bulk load leaves it: read whole, emptied, and watched for who is about to write into it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_dsn import connect
from harness.domain.errors import SystemUnavailable

_POLL_S = 0.05
_WAITING = "SELECT pid FROM pg_locks WHERE relation = $1::text::regclass AND NOT granted"
_IS_GONE = "SELECT true WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"


class LoadedTable:
    """One table of a PostgreSQL database; `columns` begin with those of the key. Names are the configuration's."""

    def __init__(self, dsn: str, table: str, columns: Sequence[str]) -> None:
        self._dsn = dsn
        self._table = _quoted(table)
        self._columns = tuple(columns)

    async def read(self) -> list[tuple[str | None, ...]]:
        """Every row as the database prints it; the last value changes whenever the row is written."""
        listed = ", ".join(f"{_quoted(name)}::text" for name in self._columns)
        async with self._connection() as connection:
            found = await connection.fetch(f"SELECT {listed}, xmin || '/' || ctid::text FROM {self._table}")  # noqa: S608
        return [tuple(row) for row in found]

    async def clear(self) -> None:
        """Deletes every row."""
        async with self._connection() as connection:
            await connection.execute(f"TRUNCATE {self._table}")

    async def insert(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Adds rows of the same columns, given as text."""
        names = list(rows[0])
        values = ", ".join(f"${place}::text[]" for place in range(1, len(names) + 1))
        async with self._connection() as connection:
            types = await self._types(connection)
            picked = ", ".join(f"{_quoted(name)}::{types[name]}" for name in names)
            listed = ", ".join(map(_quoted, names))
            await connection.execute(
                f"INSERT INTO {self._table} ({listed}) SELECT {picked} FROM unnest({values}) AS given ({listed})",  # noqa: S608
                *([row[name] for row in rows] for name in names),
            )

    @asynccontextmanager
    async def held(self) -> AsyncIterator["HeldTable"]:
        """Lets nobody write, and so stops a load at its first write, until the context is left."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(f"LOCK TABLE {self._table} IN SHARE MODE")
            yield HeldTable(connection, self._table)

    async def wait_until_gone(self, backend: int, *, timeout_s: float) -> None:
        """Returns once the server has noticed that this backend's client is dead, and rolled back."""
        async with self._connection() as connection, asyncio.timeout(timeout_s):
            await _poll(connection, _IS_GONE, backend)

    async def _types(self, connection: Any) -> dict[str, str]:
        rows = await connection.fetch(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
            self._table,
        )
        return {str(name): str(kind) for name, kind in rows}

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        async with postgres_errors(self._dsn):
            connection = await connect(self._dsn)
            try:
                yield connection
            finally:
                await connection.close()


class HeldTable:
    """A table that its holder lets nobody write into."""

    def __init__(self, connection: Any, table: str) -> None:
        self._connection = connection
        self._table = table

    async def wait_for_writer(self, *, timeout_s: float) -> int:
        """The backend that waits to write; raises SystemUnavailable if none comes."""
        try:
            async with asyncio.timeout(timeout_s):
                return int(await _poll(self._connection, _WAITING, self._table))
        except TimeoutError:
            raise SystemUnavailable("nobody wrote into the table", where=self._table) from None


async def _poll(connection: Any, statement: str, argument: object) -> Any:
    """Asks until there is an answer, and returns it."""
    while True:
        found = await connection.fetchval(statement, argument)
        if found is not None:
            return found
        await asyncio.sleep(_POLL_S)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
