"""How far a comparison of rows has come, and what it found: kept through `kill -9`, range by range."""

import contextlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from io import RawIOBase
from itertools import islice
from pathlib import Path

import msgspec

from harness.adapters.cell_codec import StoredCell, decode_row, encode_row
from harness.adapters.evidence_store import disk_errors
from harness.adapters.journal import Journal
from harness.domain.difference import Difference
from harness.domain.errors import ConfigurationError, EvidenceError, unwritable
from harness.domain.findings import DIFFERENCES_FILE
from harness.domain.row_difference import Key
from harness.domain.row_parity import RangeOutcome

_RANGE = "range"
_INPUTS = "inputs"


class RangeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One range that is done; `upto` is None where it was the table's last."""

    number: int
    table: str
    upto: list[StoredCell] | None
    legacy_rows: int
    target_rows: int
    settled: int
    differences: int


class RowParityLog:
    """`journal.sqlite` and `differences.jsonl` of one comparison in a directory of its own.

    Guarantees: a range is either wholly in both, or counts as not done.

    Raises:
        ConfigurationError: the directory holds a comparison of other databases, or something else.
        EvidenceError: its files contradict each other.
    """

    def __init__(self, directory: Path, inputs: str) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "Give a directory that can be written to."
            raise unwritable(error, where=str(directory), hint=hint) from error
        self._path = directory / DIFFERENCES_FILE
        self._journal = Journal(directory)
        try:
            self._require_same(directory, inputs)
            self._entries = sorted(self._stored(), key=lambda entry: entry.number)
            self._cut()
        except BaseException:
            self._journal.close()
            raise

    @property
    def entries(self) -> Sequence[RangeEntry]:
        """What is done, in its order."""
        return self._entries

    def done(self) -> Mapping[str, Key | None]:
        """Per table that was begun, the key up to which it is done; None means wholly."""
        return {each.table: None if each.upto is None else decode_row(each.upto) for each in self._entries}

    def first_differences(self, count: int) -> Sequence[Difference]:
        """The first of those that were found."""
        if not self._path.exists():
            return ()
        with self._path.open("rb") as file:
            return [msgspec.json.decode(line, type=Difference) for line in islice(file, count)]

    def append(self, outcome: RangeOutcome) -> None:
        """Keeps a range; it is on disk when this returns.

        Raises:
            HarnessError: the disk is full or fails; then nothing of the range is kept.
        """
        start = self._journal.end_offset(_RANGE)
        with disk_errors(self._path):
            try:
                self._append(outcome)
            except (OSError, sqlite3.Error):
                with contextlib.suppress(OSError):
                    os.truncate(self._path, start)
                raise

    def _append(self, outcome: RangeOutcome) -> None:
        with self._path.open("ab", buffering=0) as file:
            _write_all(file, msgspec.json.Encoder().encode_lines(outcome.differences))
            os.fsync(file.fileno())
            end = file.tell()
        entry = RangeEntry(
            number=len(self._entries),
            table=outcome.table,
            upto=None if outcome.keys.upto is None else encode_row(outcome.keys.upto),
            legacy_rows=outcome.legacy_rows,
            target_rows=outcome.target_rows,
            settled=outcome.settled,
            differences=len(outcome.differences),
        )
        self._journal.mark_done(_RANGE, msgspec.json.encode(entry).decode(), end_offset=end)
        self._entries.append(entry)

    def close(self) -> None:
        """Closes the journal."""
        self._journal.close()

    def _require_same(self, directory: Path, inputs: str) -> None:
        known = self._journal.note(_INPUTS)
        if known is None:
            self._journal.set_note(_INPUTS, inputs)
        elif known != inputs:
            hint = "Give a new directory, or the databases and mapping that it was begun with."
            raise ConfigurationError("holds a comparison of other databases", where=str(directory), hint=hint)

    def _stored(self) -> list[RangeEntry]:
        return [msgspec.json.decode(text, type=RangeEntry) for text in self._journal.done(_RANGE)]

    def _cut(self) -> None:
        end = self._journal.end_offset(_RANGE)
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < end:
            hint = "The file was cut or replaced: compare again into a new directory."
            raise EvidenceError(f"holds {size} bytes where the journal says {end}", where=str(self._path), hint=hint)
        if size > end:
            with self._path.open("r+b") as file:
                file.truncate(end)


def _write_all(file: RawIOBase, data: bytes) -> None:
    """Unbuffered, so that closing does not try once more what the disk has refused."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]
