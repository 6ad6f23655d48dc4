"""Where objects are kept: what every store of them guarantees, and the one that the settings choose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from target.settings import Settings


class ObjectChanged(Exception):
    """The object is no longer the version that was to be replaced: read it again, merge, and try once more."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Object {key!r} was written by somebody else meanwhile.")


class UnreadableObject(Exception):
    """An object does not hold what its key says; the text names it and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """An object without its content; `etag` is equal for two versions only if their contents are."""

    key: str
    etag: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object as it was read."""

    key: str
    etag: str
    body: bytes


class ObjectStore(Protocol):
    """Whole objects by key; keys are relative to the store's own prefix, with `/` between their parts.

    Guarantees: a reader sees one whole version or none; a version that was written stays until it is replaced.
    Every method raises StorageUnavailable where the store does not answer now, after its own bounded retries.
    """

    @property
    def location(self) -> str:
        """Where the objects are, for people; holds no credential."""

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        """Return the object, `known` itself where that is still its version (its content is not sent again)."""

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        """Write the object over the version `over`, or as a new one where that is None; return its ETag.

        Raises:
            ObjectChanged: the version there is another one; nothing was written.
        """

    async def remove(self, key: str) -> None:
        """Remove the object, if there is one."""

    async def list_objects(self, below: str = "") -> Sequence[ObjectInfo]:
        """Return the objects whose keys begin with `below`, by key."""

    async def list_top(self) -> Sequence[ObjectInfo]:
        """Return the objects whose keys have no `/`, by key."""


def open_objects(settings: Settings) -> ObjectStore:
    """Return the store that the settings choose. Opens no connection and makes no directory."""
    # Each is imported where it is chosen: a function on S3 never loads the other, nor the other way round.
    if settings.use_s3_cache:
        from target.storage.bucket import BucketObjects  # noqa: PLC0415

        return BucketObjects(settings)
    from target.storage.directory import DirectoryObjects  # noqa: PLC0415

    return DirectoryObjects(Path(settings.local_cache_directory))
