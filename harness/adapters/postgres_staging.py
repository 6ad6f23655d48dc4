"""A schema beside the target's tables, in which a migration's rows wait with a journal of what is whole.

The rows wait unlogged: a crash of the server empties them and the journal alike, so that the two never contradict.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import msgspec

from harness.adapters.cell_codec import StoredCell, decode_row, encode_row
from harness.adapters.postgres_copy import REFUSALS, copy_lines, refused
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.sqlite_rows import quote_name
from harness.domain.staged import Interrupted, StagedRange, StagedTable

STAGING_SCHEMA = "parakeet_migration"
_FORMAT = 1
_BEGIN = f"""
DROP SCHEMA IF EXISTS {STAGING_SCHEMA} CASCADE;
CREATE SCHEMA {STAGING_SCHEMA};
CREATE UNLOGGED TABLE {STAGING_SCHEMA}.begun (format int, inputs text, begun_at timestamptz DEFAULT now());
CREATE UNLOGGED TABLE {STAGING_SCHEMA}.tables (number int PRIMARY KEY, name text, columns text[]);
CREATE UNLOGGED TABLE {STAGING_SCHEMA}.ranges (
    name text, number int, upto text, rows bigint NOT NULL DEFAULT 0, PRIMARY KEY (name, number))
"""
_IS_THERE = "SELECT to_regclass('parakeet_migration.begun') IS NOT NULL"
_BEGUN = (
    "SELECT format, inputs, to_char(begun_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'"
    " FROM parakeet_migration.begun"
)
_RANGES = "SELECT name, number, upto, rows FROM parakeet_migration.ranges"
_NUMBER = "SELECT number FROM parakeet_migration.tables WHERE name = $1"
_ENTER = "INSERT INTO parakeet_migration.ranges VALUES ($1, $2, $3)"
_COUNT = "UPDATE parakeet_migration.ranges SET rows = $3 WHERE name = $1 AND number = $2"
_ELSEWHERE = (asyncpg.UniqueViolationError, asyncpg.UndefinedTableError, asyncpg.DeadlockDetectedError)


class PostgresStaging:
    """Implements Staging on a connection of its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def find(self) -> Interrupted | None:
        """What a migration that was cut off has left here.

        Raises:
            ConfigurationError: another version of ours has left it.
        """
        if not await self._connection.fetchval(_IS_THERE):
            return None
        begun = await self._connection.fetchrow(_BEGUN)
        if begun is None:  # the server crashed since, or the tables were only just made
            return Interrupted(inputs="", begun_at="an unknown time", ranges=())
        if begun[0] != _FORMAT:
            hint = "Begin anew with --restart, which discards it."
            raise ConfigurationError("another version left an interrupted migration", where=STAGING_SCHEMA, hint=hint)
        found = await self._connection.fetch(_RANGES)
        ranges = (
            StagedRange(table=name, number=number, upto=_key(upto), rows=rows) for name, number, upto, rows in found
        )
        return Interrupted(inputs=begun[1], begun_at=begun[2], ranges=tuple(ranges))

    async def begin(self, inputs: str, tables: Sequence[StagedTable]) -> None:
        """Makes room for the rows of these tables; what was left here is gone."""
        async with self._connection.transaction():
            await self._connection.execute(_BEGIN)
            await self._connection.execute("INSERT INTO parakeet_migration.begun VALUES ($1, $2)", _FORMAT, inputs)
            for number, table in enumerate(tables):
                await self._connection.execute(
                    "INSERT INTO parakeet_migration.tables VALUES ($1, $2, $3)", number, table.name, list(table.columns)
                )
                # Only the types are taken over: constraints are checked where the rows arrive.
                types = f"SELECT {_names(table.columns)} FROM {quote_name(table.name)}"  # noqa: S608 - quoted names
                await self._connection.execute(
                    f"CREATE UNLOGGED TABLE {STAGING_SCHEMA}.rows_{number} AS {types} WITH NO DATA"
                )

    async def copy(self, staged: StagedRange, columns: Sequence[str], lines: AsyncIterator[bytes]) -> int:
        """Writes a range and enters it as whole, both or nothing; returns its rows.

        Raises:
            DataRefused: the server refuses a row.
            SystemUnavailable: another migration is at work in the same database.
        """
        counted = _Counted(lines)
        try:
            async with self._connection.transaction():
                await self._connection.execute(_ENTER, staged.table, staged.number, _text(staged))
                number = await self._number(staged.table)
                await copy_lines(self._connection, f"rows_{number}", columns, counted, schema=STAGING_SCHEMA)
                await self._connection.execute(_COUNT, staged.table, staged.number, counted.rows)
        except _ELSEWHERE as error:
            hint = "Wait until it is done, or end it, and go on with --resume."
            raise SystemUnavailable(
                "another migration is at work in this database", where=STAGING_SCHEMA, hint=hint
            ) from error
        return counted.rows

    async def discard(self) -> None:
        """Leaves nothing behind."""
        await self._connection.execute(f"DROP SCHEMA IF EXISTS {STAGING_SCHEMA} CASCADE")

    async def _number(self, table: str) -> int:
        return int(await self._connection.fetchval(_NUMBER, table))


async def merge_staged(connection: Any, table: str, columns: Sequence[str]) -> int:
    """Moves a table's waiting rows to where they belong, in the caller's transaction; returns how many.

    Raises:
        DataRefused: a constraint refuses a row.
    """
    number = await connection.fetchval(_NUMBER, table)
    names = _names(columns)
    waiting = f"SELECT {names} FROM {STAGING_SCHEMA}.rows_{number}"  # noqa: S608 - quoted names
    await connection.execute("SET LOCAL synchronize_seqscans = off")  # in the order in which they came
    try:
        done = await connection.execute(f"INSERT INTO {quote_name(table)} ({names}) OVERRIDING SYSTEM VALUE {waiting}")
    except REFUSALS as error:
        raise refused(error, f"table {table}") from error
    return int(done.rpartition(" ")[2])


class _Counted:
    """Hands lines on and counts them."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._lines = lines
        self.rows = 0

    def __aiter__(self) -> "_Counted":
        return self

    async def __anext__(self) -> bytes:
        block = await anext(self._lines)
        self.rows += block.count(b"\n")
        # The server's complaints are heard between two blocks.
        await asyncio.sleep(0)
        return block


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(quote_name, columns))


def _text(staged: StagedRange) -> str | None:
    return None if staged.upto is None else msgspec.json.encode(encode_row(staged.upto)).decode()


def _key(text: str | None) -> tuple[Any, ...] | None:
    return None if text is None else decode_row(msgspec.json.decode(text, type=list[StoredCell]))
