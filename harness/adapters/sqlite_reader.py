"""A SQLite file as ordered streams of rows: read only, as of one moment, a block at a time."""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from harness.domain.errors import ConfigurationError
from harness.domain.row_difference import Key, key_token
from harness.domain.row_parity import KeyRange
from harness.domain.rows import Row, TableSchema
from harness.domain.sqlite_rows import decode_text, list_sqlite_tables, quote_name, read_sqlite_schema, sqlite_errors

BLOCK_ROWS = 5_000
_BUSY_S = 5.0
_HEADER = b"SQLite format 3\0"
_CHANGE_COUNTER = 24
"""Where in the file the counter is, followed by the number of pages."""


class SqliteSource:
    """Implements RowSource on a file, which may be in use and is never written."""

    keeps_spellings = True

    def __init__(self, path: Path, *, busy_timeout_s: float = _BUSY_S) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s

    @asynccontextmanager
    async def open_reader(self) -> "AsyncIterator[SqliteReader]":
        """One read transaction.

        Raises:
            ConfigurationError: the file is missing, is not a SQLite database, or is damaged.
            SystemUnavailable: another process keeps it locked.
        """
        require_sqlite_file(self._path)
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with (
            sqlite_errors(self._path),
            closing(sqlite3.connect(address, uri=True, timeout=self._busy_timeout_s, isolation_level=None)) as database,
        ):
            database.execute("BEGIN")
            yield SqliteReader(database, self._path)


class SqliteReader:
    """Implements RowReader.

    It reads in the caller's thread: the driver lets go of the interpreter at every row, and another thread that
    computes meanwhile would give it back only every 5 ms.
    """

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self._path = path
        self._schemas: dict[str, TableSchema] = {}

    async def read_schemas(self) -> Mapping[str, TableSchema]:
        """All tables but bookkeeping."""
        query = self._database.execute
        self._schemas = {name: read_sqlite_schema(query, name) for name in list_sqlite_tables(query)}
        return self._schemas

    async def find_bound(self, table: str, key: Sequence[str], after: Key | None, rows: int) -> Key | None:
        """The key of the row that lies `rows` rows after `after`; None where there are fewer."""
        self._database.text_factory = decode_text
        where, values = _condition(key, KeyRange(after=after))
        sql = f"SELECT {_names(key)} FROM {quote_name(table)}{where} ORDER BY {_order(key)} LIMIT 1 OFFSET ?"  # noqa: S608
        try:
            found = self._database.execute(sql, [*values, rows - 1]).fetchone()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise self._damaged(table, after, error) from error
        return None if found is None else tuple(found)

    async def read_blocks(self, table: str, key: Sequence[str], keys: KeyRange) -> AsyncIterator[Sequence[Row]]:
        """The rows of a range in key order; text that is not UTF-8 comes as `decode_text` reads it."""
        names = (await self._schema(table)).column_names
        where, values = _condition(key, keys)
        sql = f"SELECT {_names(names)} FROM {quote_name(table)}{where} ORDER BY {_order(key)} LIMIT -1 OFFSET ?"  # noqa: S608
        self._database.text_factory = str
        given, last = 0, keys.after
        while True:
            # How many were given tells where to go on: keys may be NULL, and rows without a key may be equal.
            cursor = self._database.execute(sql, [*values, given])
            try:
                while block := cursor.fetchmany(BLOCK_ROWS):
                    given, last = given + len(block), tuple(block[-1][names.index(name)] for name in key)
                    yield block
                return
            except sqlite3.OperationalError as error:
                if self._database.text_factory is decode_text or "UTF-8" not in str(error):
                    raise
                # The driver's own decoding is several times as fast, and most files never need another.
                self._database.text_factory = decode_text
            except sqlite3.DatabaseError as error:
                raise self._damaged(table, last, error) from error

    def _damaged(self, table: str, after: Key | None, error: sqlite3.DatabaseError) -> ConfigurationError:
        """Says where the file is damaged."""
        behind = "its first row" if after is None else f"row {key_token(after)}"
        where = f"{self._path}, table {table}, at or behind {behind}"
        hint = "Give an undamaged copy; `sqlite3 FILE .recover` tells what can be saved."
        return ConfigurationError(f"this SQLite file is damaged: {error}", where=where, hint=hint)

    async def find_rows(self, table: str, key: Sequence[str], keys: Sequence[Key]) -> Sequence[Row]:
        """The rows that have one of these keys."""
        names = (await self._schema(table)).column_names
        self._database.text_factory = decode_text
        same = " AND ".join(f"{quote_name(name)} IS ?" for name in key)
        sql = f"SELECT {_names(names)} FROM {quote_name(table)} WHERE {same}"  # noqa: S608 - quoted names
        return [row for each in keys for row in self._database.execute(sql, [_plain(cell) for cell in each])]

    async def _schema(self, table: str) -> TableSchema:
        if not self._schemas:
            await self.read_schemas()
        return self._schemas[table]


def _condition(key: Sequence[str], keys: KeyRange) -> tuple[str, list[Any]]:
    """NULL comes first, and so lies behind no bound and up to each; keys of SQLite may hold it."""
    parts, values = [], list[Any]()
    first, behind = _order(key[:1]), f"({_order(key)}) > ({', '.join('?' * len(key))})"
    # The condition on the first column alone is what an index is searched by, whatever its collations.
    if keys.after is not None:
        parts.append(f"{first} >= ? AND {behind}")
        values += map(_plain, (keys.after[0], *keys.after))
    if keys.upto is not None:
        begins_with_null = f" OR {first} IS NULL" if keys.after is None else ""
        parts.append(f"({first} <= ?{begins_with_null}) AND ({behind}) IS NOT TRUE")
        values += map(_plain, (keys.upto[0], *keys.upto))
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def _plain(cell: Any) -> Any:
    """What SQLite stores for a key that may come from the target."""
    if isinstance(cell, str):
        return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return cell if isinstance(cell, (int, float, bytes, type(None))) else str(cell)


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(quote_name, names))


def _order(key: Sequence[str]) -> str:
    return ", ".join(f"{quote_name(name)} COLLATE BINARY" for name in key)


def sqlite_identity(path: Path) -> str:
    """What SQLite changes in the file's header whenever it writes to the file; a copy of the file has the same.

    Raises:
        ConfigurationError: the file cannot be read, or is none of SQLite's.
    """
    require_sqlite_file(path)
    with path.open("rb") as file:
        file.seek(_CHANGE_COUNTER)
        return file.read(2 * 4).hex()


def require_sqlite_file(path: Path) -> None:
    """Raises ConfigurationError unless the file can be read and begins as a SQLite database does."""
    hint = "Give the legacy application's SQLite file."
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except OSError as error:
        raise ConfigurationError(
            f"the legacy database cannot be read: {error.strerror}", where=str(path), hint=hint
        ) from error
    if header != _HEADER:
        raise ConfigurationError("this file is not a SQLite database", where=str(path), hint=hint)
