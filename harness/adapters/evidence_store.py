"""The run directory: evidence written so that a cut-off run loses nothing that it had finished."""

import contextlib
import gzip
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from harness.adapters.evidence_files import load_manifest
from harness.adapters.exchange_lines import encode_session
from harness.adapters.journal import FILE_NAME as JOURNAL_FILE
from harness.adapters.journal import Journal
from harness.domain.errors import ConfigurationError, EvidenceError, HarnessError, unwritable
from harness.domain.evidence import EXCHANGES_FILE, MANIFEST_FILE, MEASUREMENTS_FILE, RunManifest
from harness.domain.measurement import Measurement
from harness.domain.record import SessionRecord
from harness.domain.record_redaction import redact_session
from harness.domain.redaction import Redactor, secrets_worth_hiding

_SESSION = "session"
_STAGE = "stage"
_KEY_NOTE = "redaction_key"


class EvidenceStore:
    """Writes one run's evidence; `open_run` and `resume_run` make it.

    Guarantees: a session is either wholly in `exchanges.jsonl.gz` and in the journal, or counts as not done; every
    other file appears complete or not at all; nothing is written before its secrets are replaced.
    """

    def __init__(self, directory: Path, manifest: RunManifest, known_secrets: Sequence[str | None] = ()) -> None:
        self.directory = directory
        self.manifest = manifest
        self._journal = Journal(directory)
        key = self._journal.note(_KEY_NOTE) or secrets.token_hex(32)
        self._journal.set_note(_KEY_NOTE, key)
        self.redactor = Redactor(key=bytes.fromhex(key), known=secrets_worth_hiding(known_secrets))

    def append_session(self, record: SessionRecord) -> None:
        """Adds a session as one gzip member, on disk and in the journal when this returns."""
        self.append_encoded({record.session_id: self.encode(record)})

    def encode(self, record: SessionRecord) -> bytes:
        """The session's lines without its secrets, for `append_encoded`."""
        return encode_session(redact_session(record, self.redactor))

    def append_encoded(self, sessions: Mapping[str, bytes]) -> None:
        """Adds the encoded sessions by their ids, one gzip member each; all are on disk when this returns.

        Any thread may call it, but only one at a time.

        Raises:
            HarnessError: they cannot be written; then none of them is there.
        """
        with disk_errors(self.directory / EXCHANGES_FILE):
            self._journal.mark_all_done(_SESSION, self._append(sessions))

    def append_cut(self, sessions: Mapping[str, bytes]) -> None:
        """Adds sessions that were not replayed to their end: evidence, until a resumed run replays them again.

        Raises:
            HarnessError: as `append_encoded`.
        """
        with disk_errors(self.directory / EXCHANGES_FILE):
            self._append(sessions)

    def _append(self, sessions: Mapping[str, bytes]) -> dict[str, int | None]:
        """Where each one ends in the file."""
        ends: dict[str, int | None] = {}
        with (self.directory / EXCHANGES_FILE).open("ab") as file:
            start = file.tell()
            try:
                for session_id, lines in sessions.items():
                    file.write(gzip.compress(lines, compresslevel=5, mtime=0))
                    ends[session_id] = file.tell()
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                # Closing would try to write the rest once more: what is written then is cut off by a resumed run.
                with contextlib.suppress(OSError):
                    file.close()
                os.truncate(self.directory / EXCHANGES_FILE, start)
                raise
        return ends

    def bind_inputs(self, inputs: str) -> None:
        """Keeps what the run is made from; a resumed one must be made from the same.

        Raises:
            EvidenceError: it began with something else.
        """
        self._journal.bind_inputs(inputs)

    @property
    def finished_sessions(self) -> frozenset[str]:
        """Ids of the sessions whose exchanges are stored."""
        return self._journal.done(_SESSION)

    def mark_stage(self, name: str) -> None:
        """A stage of a longer run is done, and a resumed run may skip it."""
        self._journal.mark_done(_STAGE, name)

    @property
    def finished_stages(self) -> frozenset[str]:
        """Names of the stages that are done."""
        return self._journal.done(_STAGE)

    def append_measurements(self, measurements: Iterable[Measurement]) -> None:
        """Adds figures to `measurements.jsonl`."""
        with (self.directory / MEASUREMENTS_FILE).open("ab") as file:
            file.write(msgspec.json.Encoder().encode_lines(list(measurements)))
            file.flush()
            os.fsync(file.fileno())

    def write_lines(self, name: str, rows: Iterable[object]) -> None:
        """Writes a JSON Lines file of dataclasses, whole or not at all."""
        with disk_errors(self.directory / name):
            write_atomically(self.directory / name, msgspec.json.Encoder().encode_lines(list(rows)))

    def write_json(self, name: str, document: object) -> None:
        """Writes a JSON file, whole or not at all."""
        with disk_errors(self.directory / name):
            write_json(self.directory / name, document)

    def update_manifest(self, **changes: Any) -> None:
        """Replaces fields of `manifest.json`."""
        self.manifest = replace(self.manifest, **changes)
        self.write_json(MANIFEST_FILE, self.manifest)

    def finish(self, finished_at: datetime) -> None:
        """Ends the run: enters the time, and forgets the key of the redactions, which then can only be compared."""
        self.update_manifest(finished_at=finished_at)
        self._journal.forget_note(_KEY_NOTE)

    def close(self) -> None:
        """Closes the journal; the run stays resumable unless it was finished."""
        self._journal.close()

    def discard(self) -> None:
        """Takes back a run that never began; one with any evidence stays, and so does whatever else is there."""
        if self.finished_sessions or self.finished_stages:
            return
        self.close()
        for name in (MANIFEST_FILE, JOURNAL_FILE):
            (self.directory / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.directory.rmdir()

    def drop_unfinished(self) -> int:
        """Cuts off what a killed run left after its last complete session; returns the number of bytes dropped."""
        path, end = self.directory / EXCHANGES_FILE, self._journal.end_offset(_SESSION)
        size = path.stat().st_size if path.exists() else 0
        if size < end:
            hint = "The file was cut or replaced: start the run again in a new directory."
            raise EvidenceError(f"holds {size} bytes where the journal says {end}", where=str(path), hint=hint)
        if size > end:
            with path.open("r+b") as file:
                file.truncate(end)
                os.fsync(file.fileno())
        return size - end


def open_run(directory: Path, manifest: RunManifest, known_secrets: Sequence[str | None] = ()) -> EvidenceStore:
    """A store for a new run in `directory`, made where absent.

    Raises:
        ConfigurationError: the directory holds something already, or cannot be made.
    """
    require_empty(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_json(directory / MANIFEST_FILE, manifest)
    except OSError as error:
        hint = "Give a directory that can be written to."
        raise unwritable(error, where=str(directory), hint=hint) from error
    try:
        return EvidenceStore(directory, manifest, known_secrets)
    except HarnessError:  # nothing was begun that could be gone on with
        (directory / MANIFEST_FILE).unlink(missing_ok=True)
        raise


def resume_run(directory: Path, known_secrets: Sequence[str | None] = ()) -> EvidenceStore:
    """The store of a run that was cut off, without its unfinished tail.

    Raises:
        EvidenceError: no run is there, it is of another version, or its files contradict its journal.
    """
    store = EvidenceStore(directory, load_manifest(directory), known_secrets)
    store.drop_unfinished()
    return store


def has_run(directory: Path) -> bool:
    """Whether a run began there; what one left that was cut off before it did is removed."""
    if (directory / MANIFEST_FILE).is_file():
        return True
    _draft_of(directory / MANIFEST_FILE).unlink(missing_ok=True)
    return False


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns what the operating system and the journal say of a full or failing disk into an error of ours."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = "Make room there or correct its permissions, then run it again, with --resume where that is an option."
        raise HarnessError(f"cannot write the evidence: {reason}", where=str(path), hint=hint) from error


def require_empty(directory: Path) -> None:
    """Raises ConfigurationError where `directory` is a file or holds anything."""
    if directory.exists() and not directory.is_dir():
        raise ConfigurationError("is a file", where=str(directory), hint="Give a directory for the run.")
    if directory.is_dir() and any(directory.iterdir()):
        hint = "Give a new directory, so that evidence of two runs cannot mix."
        raise ConfigurationError("the run directory is not empty", where=str(directory), hint=hint)


def write_json(path: Path, document: object) -> None:
    """Writes an indented JSON file, whole or not at all."""
    write_atomically(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replaces the file by `data`; readers see the old content or the new one. `mode` is subject to the umask."""
    draft = _draft_of(path)
    draft.unlink(missing_ok=True)
    try:
        with open(draft, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.draft")
