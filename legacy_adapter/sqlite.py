"""The legacy's live SQLite file as a StateStore: captured, restored and read while the application runs."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from harness.domain.errors import ConfigurationError, HarnessError
from harness.domain.rows import DatabaseState
from harness.domain.sqlite_rows import MARKER_TABLE, decode_text, read_sqlite_state, sqlite_errors
from harness.uninterrupted import run_to_its_end

_BUSY_S = 5.0
_RETRY_S = 0.002
_Answer = TypeVar("_Answer")


def mark_disposable_file(path: Path) -> None:
    """Writes the marker that lets `SqliteState` overwrite this file; safe to repeat."""
    with sqlite_errors(path), closing(_connect(path, "rw", _BUSY_S)) as database:
        database.execute(f"CREATE TABLE IF NOT EXISTS {MARKER_TABLE} (marked_at TEXT)")


def copy_database(source: Path, destination: Path) -> None:
    """Copies a database that may be in use, rows that still lie in its write-ahead log included.

    Raises:
        ConfigurationError: the source is missing or not a SQLite database; the destination is not left behind.
        SystemUnavailable: another process keeps it locked.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with sqlite_errors(source), closing(_connect(source, "ro", _BUSY_S)) as opened:
        opened.execute("SELECT count(*) FROM sqlite_schema")  # a file of another kind fails here
        with closing(sqlite3.connect(destination)) as copy:
            _copy(opened, copy, _BUSY_S)


class SqliteState:
    """Implements StateStore for a file that other processes hold open.

    The file is never replaced: pages are written into it through the backup API, so the application's
    connections and the journal mode stay as they are. What is captured is kept in the file `kept`, if there is one,
    until `close`: it outlives a process that is killed, and another one can `recover` the state from it.
    """

    def __init__(self, path: Path, *, kept: Path | None = None, busy_timeout_s: float = _BUSY_S) -> None:
        self._path = path
        self._kept = kept
        self._is_kept_ours = False
        self._busy_timeout_s = busy_timeout_s
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._snapshot: sqlite3.Connection | None = None
        self._restored_version: int | None = None
        self._turn = asyncio.Lock()

    async def require_disposable(self) -> None:
        """Raises ConfigurationError unless the file carries the marker."""
        await self._in_turn(self._require_disposable)

    async def capture(self) -> None:
        """Copies the present state, the marker included, to a private database of ours; writes nothing."""
        await self._in_turn(self._capture)

    async def recover(self) -> None:
        """Brings back what a killed process had captured and did not live to restore, if it kept that.

        Raises:
            ConfigurationError: the file carries no marker.
            SystemUnavailable: another process keeps it locked.
        """
        await self._in_turn(self._recover)

    async def restore(self) -> None:
        """Brings the captured state back; free of charge where nobody has written since.

        Raises:
            ConfigurationError: nothing was captured, or the file carries no marker.
            SystemUnavailable: another process keeps it locked.
        """
        await self._in_turn(self._restore)

    async def read(self) -> DatabaseState:
        """All tables but bookkeeping, as of one moment."""
        return await self._in_turn(self._read)

    async def close(self) -> None:
        """Closes our connections once nothing works on them any more, and removes what was kept."""
        async with self._turn:
            for connection in (self._reader, self._writer, self._snapshot):
                if connection is not None:
                    connection.close()
            if self._kept is not None and self._is_kept_ours:
                self._kept.unlink(missing_ok=True)
            self._reader = self._writer = self._snapshot = None

    async def _in_turn(self, work: Callable[[], _Answer]) -> _Answer:
        async with self._turn:  # one thread at a time on our connections
            return await run_to_its_end(asyncio.to_thread(work))

    def _require_disposable(self) -> None:
        with sqlite_errors(self._path):
            query = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
            found = self._for_reading().execute(query, (MARKER_TABLE,)).fetchone()
        if found is None:
            raise ConfigurationError(
                "the database is not marked as disposable, so nothing was touched",
                where=str(self._path),
                hint="If its contents may be overwritten, run `parakeet prepare --legacy-db FILE`; if not, copy it.",
            )

    def _capture(self) -> None:
        with sqlite_errors(self._path):
            # A nameless database lives in memory and spills to a temporary file only when it is large.
            snapshot = sqlite3.connect("", check_same_thread=False)
            _copy(self._for_reading(), snapshot, self._busy_timeout_s)
            if self._kept is not None:
                _keep(snapshot, self._kept)
                self._is_kept_ours = True
        if self._snapshot is not None:
            self._snapshot.close()
        self._snapshot, self._restored_version = snapshot, None

    def _recover(self) -> None:
        if self._kept is None or not self._kept.is_file():
            return
        self._require_disposable()
        with sqlite_errors(self._path), closing(_connect(self._kept, "ro", self._busy_timeout_s)) as kept:
            _copy(kept, self._for_writing(), self._busy_timeout_s)
        self._restored_version, self._is_kept_ours = None, True

    def _restore(self) -> None:
        if self._snapshot is None:
            raise HarnessError("restore was called before capture", where=str(self._path))
        self._require_disposable()
        with sqlite_errors(self._path):
            writer = self._for_writing()
            if self._version(writer) == self._restored_version:
                return
            _copy(self._snapshot, writer, self._busy_timeout_s)
            self._restored_version = self._version(writer)

    def _read(self) -> DatabaseState:
        with sqlite_errors(self._path):
            reader = self._for_reading()
            reader.execute("BEGIN")
            try:
                return read_sqlite_state(lambda sql: reader.execute(sql).fetchall())
            finally:
                reader.execute("ROLLBACK")

    def _for_reading(self) -> sqlite3.Connection:
        if self._reader is None:
            self._reader = _connect(self._path, "ro", self._busy_timeout_s)
        return self._reader

    def _for_writing(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = _connect(self._path, "rw", 0)
            # A disposable file need not survive a power failure, and fsync is most of a restore's time.
            self._writer.execute("PRAGMA synchronous = OFF")
        return self._writer

    @staticmethod
    def _version(connection: sqlite3.Connection) -> int:
        """Changes exactly when another connection has committed."""
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _keep(snapshot: sqlite3.Connection, kept: Path) -> None:
    """Writes it as a file that nobody else may read, whole or not at all."""
    draft = kept.with_name(f".{kept.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(draft)) as copy:
            snapshot.backup(copy)
        draft.replace(kept)
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, destination: sqlite3.Connection, busy_timeout_s: float) -> None:
    deadline = time.monotonic() + busy_timeout_s

    def give_up(status: int, _remaining: int, _total: int) -> None:
        # Without this the module would retry a locked file for ever.
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() >= deadline:
            raise sqlite3.OperationalError("database is locked")

    source.backup(destination, progress=give_up, sleep=_RETRY_S)


def _connect(path: Path, mode: str, busy_timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = decode_text
    return connection
