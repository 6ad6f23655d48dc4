"""Objects as files below a directory, as the legacy keeps its cache."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TypeVar

from target.errors import StorageUnavailable
from target.storage.objects import ObjectChanged, ObjectInfo, StoredObject

_LOCK = ".lock"
_UNFINISHED = ".unfinished-"

T = TypeVar("T")


class DirectoryObjects:
    """An ObjectStore of files; writers of several processes on one machine take turns.

    A file is put in place by rename, so that its inode, time and size tell its version.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def location(self) -> str:
        """The directory."""
        return str(self._root)

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        """See ObjectStore."""
        return await self._in_thread(lambda: self._find(key, known))

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        """See ObjectStore."""
        return await self._in_thread(lambda: self._replace(key, body, over))

    async def remove(self, key: str) -> None:
        """See ObjectStore."""
        await self._in_thread(lambda: self._path(key).unlink(missing_ok=True))

    async def list_objects(self, below: str = "") -> Sequence[ObjectInfo]:
        """See ObjectStore."""
        return await self._in_thread(lambda: self._list(below))

    async def list_top(self) -> Sequence[ObjectInfo]:
        """See ObjectStore."""
        return [info for info in await self.list_objects() if "/" not in info.key]

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise StorageUnavailable(
                f"The cache directory {self._root} cannot be used ({error.strerror}): check that it is a directory "
                "that this process may read and write, or set LOCAL_CACHE_DIRECTORY."
            ) from error

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise ValueError(f"{key!r} is no key of an object: it has to be a path below the directory")
        return self._root.joinpath(*parts)

    def _find(self, key: str, known: StoredObject | None) -> StoredObject | None:
        try:
            with self._path(key).open("rb") as file:
                etag = _version(os.fstat(file.fileno()))
                if known is not None and known.etag == etag:
                    return known
                return StoredObject(key=key, etag=etag, body=file.read())
        except FileNotFoundError:
            return None

    def _replace(self, key: str, body: bytes, over: str | None) -> str:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._turn():
            if _version_of(path) != over:
                raise ObjectChanged(key)
            return _put(path, body)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with (self._root / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released by closing, and by the end of the process
            yield

    def _list(self, below: str) -> list[ObjectInfo]:
        found = (path for path in self._root.rglob("*") if path.is_file() and not path.name.startswith("."))
        infos = (_info(path, path.relative_to(self._root).as_posix()) for path in found)
        return sorted((info for info in infos if info.key.startswith(below)), key=lambda info: info.key)


def _put(path: Path, body: bytes) -> str:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())  # before the rename: else a power cut could leave an empty file in its place
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return _version(path.stat())


def _info(path: Path, key: str) -> ObjectInfo:
    status = path.stat()
    modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
    return ObjectInfo(key=key, etag=_version(status), size_bytes=status.st_size, modified_at=modified_at)


def _version_of(path: Path) -> str | None:
    try:
        return _version(path.stat())
    except FileNotFoundError:
        return None


def _version(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
