"""A legacy SQLite file as the source of a migration: opened for reading only, never written."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from harness.domain.errors import ConfigurationError
from harness.domain.rows import DatabaseState
from harness.domain.sqlite_rows import decode_text, read_sqlite_state, sqlite_errors

_BUSY_S = 5.0
_HEADER = b"SQLite format 3\0"


class SqliteFile:
    """Reads one file; each read is a transaction of its own."""

    def __init__(self, path: Path, *, busy_timeout_s: float = _BUSY_S) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s

    async def read(self) -> DatabaseState:
        """All tables but bookkeeping, each cell with the type that SQLite stores.

        Raises:
            ConfigurationError: the file is missing, is not a SQLite database, or is damaged.
            SystemUnavailable: another process keeps it locked.
        """
        return await asyncio.to_thread(self._read)

    def _read(self) -> DatabaseState:
        require_sqlite_file(self._path)
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with (
            sqlite_errors(self._path),
            closing(sqlite3.connect(address, uri=True, timeout=self._busy_timeout_s, isolation_level=None)) as database,
        ):
            database.text_factory = decode_text
            database.execute("BEGIN")
            return read_sqlite_state(lambda sql: database.execute(sql).fetchall())


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
