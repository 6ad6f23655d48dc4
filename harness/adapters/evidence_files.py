"""A run directory read back: manifest, exchanges and findings, each checked before it is used."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from harness.adapters.exchange_lines import decode_sessions
from harness.domain.coverage import OPENAPI_FILE
from harness.domain.errors import EvidenceError
from harness.domain.evidence import EXCHANGES_FILE, MANIFEST_FILE, RunManifest
from harness.domain.record import SessionRecord

MANIFEST_VERSION = 1
_Row = TypeVar("_Row")


def load_manifest(directory: Path) -> RunManifest:
    """Which run `directory` holds.

    Raises:
        EvidenceError: no run is there, its manifest is damaged or of another version.
    """
    path = directory / MANIFEST_FILE
    hint = "Give the directory that a run was written to (its --out)."
    try:
        raw = msgspec.json.decode(path.read_bytes())
        version = raw.get("format_version") if isinstance(raw, dict) else None
        if version != MANIFEST_VERSION:
            hint = f"This version reads format {MANIFEST_VERSION}: run again into a new directory."
            raise EvidenceError(f"the run has format {version!r}", where=str(path), hint=hint)
        return msgspec.convert(raw, RunManifest)
    except OSError as error:
        raise EvidenceError(f"no run directory: {error.strerror}", where=str(path), hint=hint) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"the manifest is damaged: {error}", where=str(path), hint=hint) from error


def load_records(directory: Path) -> Iterator[SessionRecord]:
    """The stored sessions of a run, in the order in which they were replayed.

    Raises:
        EvidenceError: no run is there, it is of another version, or its exchanges are cut off or damaged.
    """
    load_manifest(directory)
    path = directory / EXCHANGES_FILE
    yield from decode_sessions(_stored_lines(path), str(path))


def load_lines(path: Path, row: type[_Row]) -> tuple[_Row, ...]:
    """The rows of a JSON Lines file; none where it is absent.

    Raises:
        EvidenceError: a line is not such a row.
    """
    if not path.exists():
        return ()
    try:
        return tuple(msgspec.json.Decoder(row).decode_lines(path.read_bytes()))
    except (OSError, msgspec.DecodeError) as error:
        hint = "Compare the run again (`parakeet compare --run DIR`), or replay into a new directory."
        raise EvidenceError(f"damaged: {error}", where=str(path), hint=hint) from error


def load_description(directory: Path) -> Any:
    """The OpenAPI document that the run stored, None where it stored none.

    Raises:
        EvidenceError: it is damaged.
    """
    path = directory / OPENAPI_FILE
    try:
        return msgspec.json.decode(path.read_bytes()) if path.exists() else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "Remove the file, or replay into a new directory."
        raise EvidenceError(f"the description is damaged: {error}", where=str(path), hint=hint) from error


def _stored_lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            yield from file
    except FileNotFoundError as error:
        hint = "The run replayed nothing: replay into a new directory."
        raise EvidenceError("no exchanges are stored", where=str(path), hint=hint) from error
    except EOFError as error:
        hint = "The run was cut off: resume it, or replay into a new directory."
        raise EvidenceError("the exchanges end in the middle of a session", where=str(path), hint=hint) from error
    except (OSError, zlib.error) as error:
        hint = "Restore the file from a copy, or replay into a new directory."
        raise EvidenceError(f"the exchanges are damaged: {error}", where=str(path), hint=hint) from error
