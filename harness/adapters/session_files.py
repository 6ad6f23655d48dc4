"""Sessions read from files: our own format, recordings in JSON Lines, and HAR.

One JSON document with `format_version` is a session of ours, or several under `sessions`; one with `log` is a HAR;
JSON Lines, each with a `request`, are a recording. Files may be gzipped. The kind is told from the content, never
from the file's name. A HAR is read as its sessions are gone through; of the others a file is read at once.
"""

import codecs
import glob
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar, cast

import msgspec

from harness.adapters.access_log import access_log_sessions, is_access_log
from harness.adapters.har import HarFile, Tell, TellRead, tell_nothing
from harness.adapters.json_elements import has_member
from harness.adapters.session_steps import SessionDocument, SessionEntry, SessionsDocument, StepLine, step_of
from harness.domain.errors import ConfigurationError
from harness.domain.grouping import group_of_urls
from harness.domain.session import Session, Step
from harness.domain.substitution import step_placeholders

FORMAT_VERSION = 1
_MAX_TEXT_BYTES = 512 * 1024 * 1024
"""Of a file that is read at once."""
_LOOKED_AT_BYTES = 64 * 1024
"""By so many it is told whether a file may be of a known format."""

_Parsed = TypeVar("_Parsed")


class SessionFiles:
    """The sessions of several files, in that order; they can be gone through again and again.

    Those of a HAR are read when it is their turn, so that memory does not grow with their number.
    """

    def __init__(self, paths: Sequence[Path], on_note: Tell = tell_nothing, on_read: TellRead = tell_nothing) -> None:
        self.paths = tuple(paths)
        self._parts = tuple(_open_file(path, on_note, on_read) for path in paths)
        _require_unique_ids(self)

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[Session]:
        return (session for part in self._parts for session in part)

    @property
    def written(self) -> tuple[Session, ...]:
        """Those that are no capture: only they ask for an `auth` kind or a fresh process."""
        return tuple(session for part in self._parts if isinstance(part, tuple) for session in part)

    @property
    def ids(self) -> Iterator[tuple[str, str]]:
        """Each session's id with the file that it is from."""
        for path, part in zip(self.paths, self._parts, strict=True):
            names = part.ids if isinstance(part, HarFile) else (session.id for session in part)
            yield from ((name, str(path)) for name in names)


def open_sessions(
    patterns: Sequence[str], on_note: Tell = tell_nothing, on_read: TellRead = tell_nothing
) -> SessionFiles:
    """The sessions of the files that the paths and globs name, in that order and each file once.

    What was left out of a file, such as requests to other origins, is told to `on_note`, and how far a HAR was looked
    through to `on_read`.

    Raises:
        ConfigurationError: nothing matches a pattern, or a file cannot be read; names file, line and fix.
    """
    return SessionFiles(_expand(patterns), on_note, on_read)


def load_sessions(
    patterns: Sequence[str], on_note: Tell = tell_nothing, on_read: TellRead = tell_nothing
) -> tuple[Session, ...]:
    """As `open_sessions`, all held in memory.

    Raises:
        ConfigurationError: as there.
    """
    return tuple(open_sessions(patterns, on_note, on_read))


def load_session_file(path: Path, on_note: Tell = tell_nothing) -> tuple[Session, ...]:
    """The sessions of one file.

    Raises:
        ConfigurationError: as `open_sessions`.
    """
    return tuple(SessionFiles((path,), on_note))


def _open_file(path: Path, on_note: Tell, on_read: TellRead) -> tuple[Session, ...] | HarFile:
    if _is_har(path):
        return HarFile(path, on_note, on_read)
    text = _read_text(path)
    document = _single_document(text)
    if document is not None and "format_version" in document:
        sessions: tuple[Session, ...] = tuple(_own_sessions(document, path))
    elif document is None and is_access_log(text):
        sessions = access_log_sessions(text, path, on_note)
    elif document is None and text.strip() and text.lstrip()[0] != "{":
        raise _unknown_format(path)
    else:
        _require_recording(text, document, path)
        sessions = tuple(_recorded_sessions(text, path))
    for session in sessions:
        _require_saved_names(session)
    return sessions


def _require_recording(text: str, document: dict[str, Any] | None, path: Path) -> None:
    """A session file that is broken, or without its version, must not be told of as a recording that has lines."""
    if document is not None and {"steps", "sessions"} & document.keys():
        hint = f'Write "format_version": {FORMAT_VERSION} into it.'
        raise ConfigurationError("`format_version` is missing", where=str(path), hint=hint)
    if document is not None and {"info", "resources", "openapi", "swagger"} & document.keys():
        raise _unknown_format(path)  # collections of Postman and Insomnia, and the interface itself
    first_line = text.strip().split("\n", 1)[0]
    if document is not None or not first_line.startswith("{") or _single_document(first_line) is not None:
        return
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{path} line {error.lineno} column {error.colno}"
        hint = "Correct it there: a session file is one JSON document, a recording has one JSON object a line."
        raise ConfigurationError(f"not JSON: {error.msg}", where=where, hint=hint) from error


def _is_har(path: Path) -> bool:
    try:
        with _unpacked(path) as file:
            return has_member(file, "log")
    except (OSError, EOFError, zlib.error):
        return False


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if is_packed else path.open("rb")


def _expand(patterns: Sequence[str]) -> tuple[Path, ...]:
    paths: dict[Path, None] = {}
    for pattern in patterns:
        literal = Path(pattern)
        found = [literal] if literal.is_file() else [Path(name) for name in sorted(_files(pattern))]
        if not found:
            hint = "Check the path; quote a glob so that the shell leaves it alone."
            hint = f"It is a directory: give '{pattern.rstrip('/')}/**'." if literal.is_dir() else hint
            raise ConfigurationError("no session file matches", where=pattern, hint=hint)
        paths.update(dict.fromkeys(found))
    return tuple(paths)


def _files(pattern: str) -> Iterator[str]:
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    return (name for name in names if Path(name).is_file())


def _read_text(path: Path) -> str:
    try:
        with _unpacked(path) as file:
            data = file.read(_LOOKED_AT_BYTES)
            if not _may_be_known(data):
                raise _unknown_format(path)
            if path.stat().st_size <= _MAX_TEXT_BYTES:
                data += file.read(_MAX_TEXT_BYTES + 1 - len(data))
        if max(len(data), path.stat().st_size) > _MAX_TEXT_BYTES:
            hint = "Split it; only a HAR of that size is read piece by piece."
            raise ConfigurationError(f"larger than {_MAX_TEXT_BYTES:,} bytes", where=str(path), hint=hint)
        return _decoded(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigurationError(
            f"cannot read the session file: {error}",
            where=str(path),
            hint="Check that it is whole and readable.",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"not UTF-8 text at byte {error.start}",
            where=str(path),
            hint="Save it as UTF-8; JSON, JSON Lines and access logs are read, gzipped or not.",
        ) from error


def _may_be_known(head: bytes) -> bool:
    """False where so many bytes begin nothing that could be read: then a large file is not read to its end."""
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return len(head) < _LOOKED_AT_BYTES or text[:1] in (b"{", b"") or is_access_log(text.decode("latin-1"))


def _unknown_format(path: Path) -> ConfigurationError:
    hint = "Known are sessions and recordings (JSON), HAR, and access logs: common, combined, load balancer (ALB)."
    return ConfigurationError("in no known format", where=str(path), hint=hint)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Servers log what clients sent, which need not be UTF-8; such a byte hides no request but its own.
        text = data.decode("latin-1")
        if is_access_log(text):
            return text
        raise


def _single_document(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _own_sessions(document: dict[str, Any], path: Path) -> Iterator[Session]:
    if document["format_version"] != FORMAT_VERSION:
        raise ConfigurationError(
            f"format_version {document['format_version']!r} is unknown",
            where=str(path),
            hint=f"This version reads {FORMAT_VERSION}.",
        )
    if "sessions" not in document:
        yield _own_session(_convert(document, SessionDocument, str(path)), path, str(path))
        return
    for entry in _convert(document, SessionsDocument, str(path)).sessions:
        yield _own_session(entry, path, f"{path}, session {entry.id},")


def _own_session(parsed: SessionDocument | SessionEntry, path: Path, where: str) -> Session:
    if not parsed.steps:
        raise ConfigurationError(f"session {parsed.id} has no steps", where=where.rstrip(","), hint="Give it one.")
    steps = tuple(step_of(line, number, f"{where} step {number}") for number, line in enumerate(parsed.steps, start=1))
    return Session(id=parsed.id, group=parsed.group, steps=steps, source=str(path), tags=tuple(parsed.tags))


def _recorded_sessions(text: str, path: Path) -> Iterator[Session]:
    parts: list[tuple[str | None, list[Step]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path} line {number}"
        parsed = _convert(_line_document(line, where), StepLine, where)
        if not parts or parts[-1][0] != parsed.session:
            parts.append((parsed.session, []))
        parts[-1][1].append(step_of(parsed, number, where))
    if not parts:
        raise ConfigurationError("the session file is empty", where=str(path), hint="Give at least one step.")
    return _named_sessions(parts, path)


def _named_sessions(parts: list[tuple[str | None, list[Step]]], path: Path) -> Iterator[Session]:
    stem = path.name.split(".", 1)[0]
    seen: dict[str, int] = {}
    for name, steps in parts:
        base = name or stem
        seen[base] = seen.get(base, 0) + 1
        yield Session(
            id=base if seen[base] == 1 else f"{base}#{seen[base]}",
            group=group_of_urls(step.url for step in steps),
            steps=tuple(steps),
            source=str(path),
            tags=("recorded",),
        )


def _line_document(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ConfigurationError(
            f"not JSON: {error}", where=where, hint="Each line is one JSON object with a request."
        ) from error


def _convert(document: Any, into: type[_Parsed], where: str) -> _Parsed:
    try:
        return msgspec.convert(document, type=into)
    except msgspec.ValidationError as error:
        what = f"not a {'session step' if into is StepLine else 'session'}: {error}"
        known = [field.encode_name for field in msgspec.structs.fields(into)]  # type: ignore[arg-type]
        is_here = " - at " not in str(error)
        hint = f"Known there: {', '.join(known)}." if is_here else "Correct that field; the format is strict."
        raise ConfigurationError(what, where=where, hint=hint) from error


def _require_saved_names(session: Session) -> None:
    saved: set[str] = set()
    for position, step in enumerate(session.steps, start=1):
        missing = [name for name in step_placeholders(step) if name not in saved]
        if missing:
            raise ConfigurationError(
                f"step {position} ({step.name}) uses {{{{{missing[0]}}}}}, which no earlier step saves",
                where=f"{session.source}, session {session.id}",
                hint="Add it to the `save` of an earlier step.",
            )
        saved.update(name for name, _ in step.save)


def _require_unique_ids(files: SessionFiles) -> None:
    sources: dict[str, str] = {}
    for name, source in files.ids:
        if name in sources:
            raise ConfigurationError(
                f"two sessions are called {name!r}",
                where=f"{sources[name]} and {source}",
                hint="Give each session an id of its own.",
            )
        sources[name] = source
