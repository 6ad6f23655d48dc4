"""The journal of a run: what is done and where its evidence ends, kept through `kill -9`."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from harness.domain.errors import EvidenceError, HarnessError

FILE_NAME = "journal.sqlite"
_FORMAT_VERSION = "1"
_INPUTS_NOTE = "inputs"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS done (
    kind TEXT NOT NULL, id TEXT NOT NULL, end_offset INTEGER, finished_at TEXT NOT NULL, PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def _now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """`journal.sqlite`: every entry is on disk when the method that makes it returns.

    Any thread may use it, but only one at a time.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], datetime] = _now) -> None:
        self._path = directory / FILE_NAME
        self._clock = clock
        is_new = not self._path.exists()
        try:
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            if is_new:  # so that the directory is as it was
                self._path.unlink(missing_ok=True)
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                hint = "Make room there, then run it again."
                raise HarnessError(f"the journal cannot be begun: {error}", where=str(self._path), hint=hint) from error
            hint = "Start the run again in a new directory."
            raise EvidenceError(f"the journal cannot be used: {error}", where=str(self._path), hint=hint) from error
        self._path.chmod(0o600)
        self._require_format()

    def mark_done(self, kind: str, identifier: str, *, end_offset: int | None = None) -> None:
        """Enters a piece of work as done; `end_offset` is where its evidence ends in the file of that kind."""
        self.mark_all_done(kind, {identifier: end_offset})

    def mark_all_done(self, kind: str, end_offsets: Mapping[str, int | None]) -> None:
        """Enters several pieces of work as done, all or none of them."""
        now = self._clock().isoformat()
        entries = [(kind, identifier, end_offset, now) for identifier, end_offset in end_offsets.items()]
        self._connection.execute("BEGIN")
        try:
            self._connection.executemany("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?)", entries)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # a full disk has ended it already
                self._connection.execute("ROLLBACK")
            raise

    def done(self, kind: str) -> frozenset[str]:
        """The ids of all work of a kind that is done."""
        return frozenset(row[0] for row in self._connection.execute("SELECT id FROM done WHERE kind = ?", (kind,)))

    def end_offset(self, kind: str) -> int:
        """Where the evidence of a kind ends; 0 where there is none."""
        row = self._connection.execute("SELECT max(end_offset) FROM done WHERE kind = ?", (kind,)).fetchone()
        return int(row[0] or 0)

    def note(self, name: str) -> str | None:
        """A value kept for the run while it goes on."""
        row = self._connection.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_note(self, name: str, value: str) -> None:
        """Keeps a value for the run."""
        self._connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def forget_note(self, name: str) -> None:
        """Removes a value, from the file's free pages too."""
        self._connection.execute("PRAGMA secure_delete = ON")
        self._connection.execute("DELETE FROM note WHERE name = ?", (name,))

    def bind_inputs(self, inputs: str) -> None:
        """Keeps what the run is made from; a resumed one must be made from the same.

        Raises:
            EvidenceError: it began with something else.
        """
        known = self.note(_INPUTS_NOTE)
        if known is None:
            self.set_note(_INPUTS_NOTE, inputs)
        elif known != inputs:
            hint = "Give the same addresses, sessions and databases, or replay into a new directory."
            raise EvidenceError("the run was begun with other inputs", where=str(self._path.parent), hint=hint)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def _require_format(self) -> None:
        found = self.note("format_version")
        if found is None:
            self.set_note("format_version", _FORMAT_VERSION)
        elif found != _FORMAT_VERSION:
            raise EvidenceError(
                f"the journal has format {found}",
                where=str(self._path),
                hint=f"This version reads format {_FORMAT_VERSION}: start the run again in a new directory.",
            )
