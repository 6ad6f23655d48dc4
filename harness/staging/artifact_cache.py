"""Artifacts by the hash of what they are made of: built at most once, complete or not there at all."""

import fcntl
import hashlib
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.staging.archive import file_sha256, sizes_by_package, write_archive
from harness.staging.bytecode import compile_tree
from harness.staging.platforms import LambdaPlatform, running_platform

_RECIPE = 2
"""Raised when the same inputs would be built differently."""
_DESCRIPTION = "artifact.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltArtifact:
    """One zip, with its content unpacked beside it."""

    name: str
    zip_path: Path
    root: Path
    """The unpacked zip."""
    sha256: str
    size_bytes: int
    unzipped_bytes: int
    bytes_by_package: Mapping[str, int]
    note: str = ""
    """How its content was come by."""


class _Description(msgspec.Struct, frozen=True):
    sha256: str
    bytes_by_package: dict[str, int]
    note: str


class ArtifactCache:
    """Artifacts under one directory; safe for several processes at once."""

    def __init__(self, directory: Path, platform: LambdaPlatform | None = None) -> None:
        self._directory = directory
        self._platform = platform or running_platform()

    def get_or_build(self, name: str, inputs: str, fill: Callable[[Path], str]) -> BuiltArtifact:
        """The artifact of `inputs`; if it is new, `fill` writes its files into a directory and says how.

        Guarantees that a directory under its final name is complete: it is renamed into place when all is done.
        """
        key = hashlib.sha256(f"{_RECIPE}\0{self._platform.key}\0{name}\0{inputs}".encode()).hexdigest()
        final = self._directory / key[:32]
        if not final.is_dir():
            with self._lock(key[:32]):
                if not final.is_dir():
                    self._build(name, final, fill)
        return _load(name, final)

    def _build(self, name: str, final: Path, fill: Callable[[Path], str]) -> None:
        scratch = self._directory / f".building-{uuid.uuid4().hex}"
        staged = scratch / "staged"
        staged.mkdir(parents=True)
        try:
            note = fill(staged)
            if self._platform.interpreter is not None:
                compile_tree(staged, self._platform.interpreter.path)
            archive = scratch / f"{name}.zip"
            write_archive(staged, archive)
            shutil.rmtree(staged)
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(scratch / "unpacked")
            description = _Description(
                sha256=file_sha256(archive), bytes_by_package=dict(sizes_by_package(archive)), note=note
            )
            (scratch / _DESCRIPTION).write_bytes(msgspec.json.encode(description))
            scratch.rename(final)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / f".lock-{key}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _load(name: str, directory: Path) -> BuiltArtifact:
    description = msgspec.json.decode((directory / _DESCRIPTION).read_bytes(), type=_Description)
    archive = directory / f"{name}.zip"
    return BuiltArtifact(
        name=name,
        zip_path=archive,
        root=directory / "unpacked",
        sha256=description.sha256,
        size_bytes=archive.stat().st_size,
        unzipped_bytes=sum(description.bytes_by_package.values()),
        bytes_by_package=description.bytes_by_package,
        note=description.note,
    )
