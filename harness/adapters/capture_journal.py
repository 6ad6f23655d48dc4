"""A recording on disk: appended to exchange by exchange while it lasts, a session file once it is finished."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from harness.adapters.session_writer import step_document
from harness.domain.capture.steps import RecordedStep
from harness.domain.errors import ConfigurationError, HarnessError, unwritable
from harness.domain.session import RecordedResponse

_MODE = 0o600
"""Recorded traffic is its users'."""


def part_path(out: Path) -> Path:
    """Where a recording is while it lasts."""
    return out.with_name(f"{out.name}.part")


class _Line(msgspec.Struct):
    """One exchange: `uses` has (name, number of the step that gave it, pointer)."""

    session: int
    step: int
    sent_at: str
    uses: list[tuple[str, int, str]]
    line: dict[str, Any]


_decoder = msgspec.json.Decoder(_Line)


class CaptureJournal:
    """Writes `FILE.part`: a line is wholly there, or cut off again."""

    def __init__(self, out: Path) -> None:
        """Opens the journal.

        Raises:
            ConfigurationError: `out` or its journal exists, or cannot be written.
        """
        self.path = part_path(out)
        if out.exists():
            hint = "Give a new file, so that no recording is lost."
            raise ConfigurationError("the file exists already", where=str(out), hint=hint)
        try:
            self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, _MODE)
        except FileExistsError as error:
            hint = f"Another recording writes it, or one was killed: parakeet record --recover {self.path} --out {out}"
            raise ConfigurationError(
                "a recording is there that was not finished", where=str(self.path), hint=hint
            ) from error
        except OSError as error:
            hint = "Give a file in a directory that exists and can be written to."
            raise unwritable(error, where=str(out), hint=hint) from error
        self._end = 0

    def append(self, session: int, recorded: RecordedStep, sent_at: str) -> None:
        """Adds an exchange; with the operating system when this returns.

        Raises:
            OSError: it cannot be written; what was there before still is.
        """
        step = recorded.step
        line = step_document(step) | {"response": _response(step.recorded, recorded)}
        uses = [(each.name, each.step, each.pointer) for each in recorded.sources]
        entry = {"session": session, "step": step.n, "sent_at": sent_at, "uses": uses, "line": line}
        data = json.dumps(entry).encode() + b"\n"
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._end += len(data)

    def close(self) -> None:
        """Closes the journal and leaves it where it is."""
        os.close(self._file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a finished recording holds."""

    sessions: int
    steps: int
    references: int


@dataclass(slots=True, kw_only=True)
class _Entry:
    offset: int
    sent_at: str
    step: int
    save: dict[str, str] = field(default_factory=dict)


def finish_recording(part: Path, out: Path) -> Finished:
    """Writes the sessions of a journal to `out`, whole or not at all, and removes the journal.

    Sessions are in the order in which they began, steps in the order in which they were sent; a value that a later
    step uses is saved by the step that gave it. A last line that is not whole, as a kill may leave it, is left out.
    Nothing is written where the journal has no exchange.

    Raises:
        ConfigurationError: the journal cannot be read, or `out` exists.
        HarnessError: `out` cannot be written; the journal stays.
    """
    if out.exists():
        raise ConfigurationError("the file exists already", where=str(out), hint="Give a new file.")
    try:
        with part.open("rb") as journal:
            sessions, references = _index(journal, part)
            if sessions:
                _write(journal, sessions, out)
    except OSError as error:
        if not part.exists():
            raise ConfigurationError("there is no such recording", where=str(part), hint="Check the path.") from error
        hint = f"Make room, then: parakeet record --recover {part} --out {out}"
        raise HarnessError(f"the recording cannot be finished: {error.strerror}", where=str(out), hint=hint) from error
    part.unlink()
    steps = sum(len(entries) for entries in sessions.values())
    return Finished(sessions=len(sessions), steps=steps, references=references)


def _index(journal: BinaryIO, part: Path) -> tuple[dict[int, list[_Entry]], int]:
    """Entries by session, and how many references there are; bodies are read again when they are written."""
    sessions: dict[int, dict[int, _Entry]] = {}
    saves: list[tuple[int, list[tuple[str, int, str]]]] = []
    offset = 0
    for number, raw in enumerate(journal, start=1):
        if raw.endswith(b"\n"):
            line = _decoded(raw, f"{part} line {number}")
            entry = _Entry(offset=offset, sent_at=line.sent_at, step=line.step)
            sessions.setdefault(line.session, {})[line.step] = entry
            saves.append((line.session, line.uses))
        offset += len(raw)
    for session, uses in saves:
        for name, step, pointer in uses:
            sessions[session][step].save[name] = pointer
    ordered = {
        session: sorted(entries.values(), key=lambda each: (each.sent_at, each.step))
        for session, entries in sorted(sessions.items())
    }
    return ordered, sum(len(uses) for _, uses in saves)


def _decoded(raw: bytes, where: str) -> _Line:
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        hint = "Give a file that `parakeet record` left, ending in .part."
        raise ConfigurationError(f"not a recorded exchange: {error}", where=where, hint=hint) from error


def _write(journal: BinaryIO, sessions: dict[int, list[_Entry]], out: Path) -> None:
    draft = out.with_name(f".{out.name}.draft")
    draft.unlink(missing_ok=True)
    stem = out.name.split(".", 1)[0]
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, _MODE)) as file:
            for session, entries in sessions.items():
                for line in _lines(journal, f"{stem}#{session}", entries):
                    file.write(line)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never replaces a file that came to be meanwhile.
        os.link(draft, out)
    finally:
        draft.unlink(missing_ok=True)


def _lines(journal: BinaryIO, session: str, entries: Sequence[_Entry]) -> Iterator[bytes]:
    for number, entry in enumerate(entries, start=1):
        journal.seek(entry.offset)
        line: dict[str, Any] = json.loads(journal.readline())["line"]
        save = {"save": entry.save} if entry.save else {}
        yield json.dumps({"session": session, "n": number, **line, **save}).encode() + b"\n"


def _response(answer: RecordedResponse | None, recorded: RecordedStep) -> dict[str, Any]:
    """The recorded answer; beside it what the request had that cannot be sent again."""
    withheld = {"withheld": [list(pair) for pair in recorded.withheld]} if recorded.withheld else {}
    if answer is None:
        return withheld
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name, []).append(value)
    broke = {"transport_error": answer.transport_error} if answer.transport_error else {}
    return {"status": answer.status, "headers": headers, "body": answer.body} | broke | withheld
