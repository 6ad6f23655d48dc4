"""The legacy's files (Parquet cache, results, dashboard) as a state to capture and restore."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.domain.errors import ConfigurationError, HarnessError
from harness.uninterrupted import uninterrupted

DIRECTORIES_MARKER = ".parakeet_disposable"
"""A file that lists, one a line, the folders beside it that a replay may bring back to what they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What tells a file that was not touched; a writer that keeps all three is not one of ours."""

    inode: int
    size_bytes: int
    modified_ns: int


def mark_disposable_directories(root: Path, names: Sequence[str]) -> None:
    """Says that the directories `names` below `root` are ours to overwrite, together with the database there."""
    (root / DIRECTORIES_MARKER).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def find_disposable_directories(database: Path, working_directory: Path | None = None) -> tuple[Path, ...]:
    """The directories that a marker file names; none without one.

    It is looked for beside the database, one folder above it, and in the working directory.

    Raises:
        ConfigurationError: the marker names a directory outside its own folder.
    """
    folder = database.absolute().parent
    for root in (folder, folder.parent, *([working_directory.absolute()] if working_directory else [])):
        marker = root / DIRECTORIES_MARKER
        if marker.is_file():
            names = marker.read_text(encoding="utf-8").split()
            return tuple(_below(root, name, marker) for name in names)
    return ()


def _below(root: Path, name: str, marker: Path) -> Path:
    directory = (root / name).resolve()
    if directory == root.resolve() or not directory.is_relative_to(root.resolve()):
        hint = "Name folders beside the marker, one a line."
        raise ConfigurationError(f"the marker names {name}, which is not below it", where=str(marker), hint=hint)
    return directory


def require_readable(directory: Path | None) -> None:
    """Nothing where it is not named or not there yet; raises ConfigurationError where it cannot be listed."""
    if directory is not None and directory.exists():
        with _files_told(directory):
            for path in _look(directory):
                with (directory / path).open("rb"):
                    pass


class DirectoryState:
    """Captures and restores whole directories; only what changed since is written.

    Directories that do not exist are remembered as absent and removed again. Files are put in place by rename,
    so that a reader sees either the old or the new one. Every call is done when it returns or raises, though it be
    cancelled: no thread works on the copies behind it.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = tuple(path.absolute() for path in directories)
        self._copies: tempfile.TemporaryDirectory[str] | None = None
        self._captured: dict[Path, dict[Path, _Seen]] = {}
        self._folders: dict[Path, set[Path]] = {}

    @uninterrupted
    async def capture(self) -> None:
        """Copies every file; raises ConfigurationError where one cannot be read."""
        await asyncio.to_thread(self._capture)

    @uninterrupted
    async def restore(self) -> None:
        """Brings every captured file back and removes every other."""
        if self._copies is None:
            raise HarnessError("restore was called before capture", where=", ".join(map(str, self._directories)))
        await asyncio.to_thread(self._restore)

    async def read(self) -> Mapping[str, bytes]:
        """Every file's content, by directory name and relative path (`cache/us_prices_close.parquet`)."""
        return await asyncio.to_thread(self._read)

    @uninterrupted
    async def close(self) -> None:
        """Forgets the copies; leaves the directories as they are."""
        if self._copies is not None:
            self._copies.cleanup()
            self._copies = None

    def _capture(self) -> None:
        copies = tempfile.TemporaryDirectory(prefix="parakeet-files-")
        captured, folders = {}, {}
        try:
            for number, directory in enumerate(self._directories):
                with _files_told(directory):
                    captured[directory] = _look(directory)
                    folders[directory] = _list_folders(directory)
                    for path in captured[directory]:
                        _copy(directory / path, Path(copies.name) / str(number) / path)
        except BaseException:
            copies.cleanup()
            raise
        if self._copies is not None:
            self._copies.cleanup()
        self._copies, self._captured, self._folders = copies, captured, folders

    def _restore(self) -> None:
        assert self._copies is not None  # noqa: S101 - checked by the caller
        for number, directory in enumerate(self._directories):
            with _files_told(directory):
                self._restore_directory(directory, Path(self._copies.name) / str(number))

    def _restore_directory(self, directory: Path, copies: Path) -> None:
        captured, now = self._captured[directory], _look(directory)
        for path in now.keys() - captured.keys():
            (directory / path).unlink()
        for path, seen in captured.items():
            if now.get(path) != seen:
                _copy(copies / path, directory / path)
                captured[path] = _seen(directory / path)
        for folder in sorted(_list_folders(directory) - self._folders[directory], reverse=True):
            (directory / folder).rmdir()
        for folder in self._folders[directory]:
            (directory / folder).mkdir(parents=True, exist_ok=True)

    def _read(self) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        for directory in self._directories:
            with _files_told(directory):
                for path in sorted(_look(directory)):
                    contents[f"{directory.name}/{path.as_posix()}"] = (directory / path).read_bytes()
        return contents


def _look(directory: Path) -> dict[Path, _Seen]:
    return {path.relative_to(directory): _seen(path) for path in directory.rglob("*") if path.is_file()}


def _list_folders(directory: Path) -> set[Path]:
    """The directory itself (as `.`) where it exists, and all below it."""
    if not directory.is_dir():
        return set()
    return {Path(), *(path.relative_to(directory) for path in directory.rglob("*") if path.is_dir())}


def _seen(path: Path) -> _Seen:
    status = path.stat()
    return _Seen(inode=status.st_ino, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=destination.parent, prefix=".parakeet-")
    os.close(handle)
    try:
        shutil.copy2(source, name)
        Path(name).replace(destination)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _files_told(directory: Path) -> Iterator[None]:
    try:
        if directory.exists() and not directory.is_dir():
            raise NotADirectoryError(0, "it is not a directory", str(directory))
        yield
    except OSError as error:
        hint = "Check that it is a directory that we may read and write."
        where = str(error.filename or directory)
        raise ConfigurationError(
            f"the legacy's files cannot be used: {error.strerror}", where=where, hint=hint
        ) from error
