"""What is told of the cache's files. Source: contract section 4.3."""

from collections.abc import Sequence
from datetime import UTC, datetime

from target.schemas.data import CachedFile, CacheListing
from target.storage.objects import ObjectInfo

_MB = 1024 * 1024
_LISTED = 10


def total_mb(files: Sequence[ObjectInfo]) -> float:
    """Return their size in MB, two decimals."""
    return _mb(sum(info.size_bytes for info in files))


def count_us(files: Sequence[ObjectInfo]) -> int:
    """Return how many count as American: all but those whose names hold `ax` or `asx` and neither `tiingo` nor `us`."""
    return sum(_counts_as_us(info.key.lower()) for info in files)


def ages(files: Sequence[ObjectInfo]) -> tuple[datetime, datetime] | tuple[None, None]:
    """Return when the oldest and the newest were written, naive UTC."""
    times = [info.modified_at for info in files]
    return (_naive(min(times)), _naive(max(times))) if times else (None, None)


def listing(files: Sequence[ObjectInfo], folder: str) -> CacheListing:
    """Return the listing that a refresh answers with."""
    oldest, newest = ages(files)
    return CacheListing(
        cache_dir=folder,
        total_files=len(files),
        total_size_mb=total_mb(files),
        oldest_cache=oldest,
        newest_cache=newest,
        files=[_cached_file(info) for info in files[:_LISTED]],
    )


def _cached_file(info: ObjectInfo) -> CachedFile:
    return CachedFile(name=info.key, size_mb=_mb(info.size_bytes), modified=_naive(info.modified_at))


def _counts_as_us(name: str) -> bool:
    return "tiingo" in name or "us" in name or not ("ax" in name or "asx" in name)


def _mb(size_bytes: int) -> float:
    return round(size_bytes / _MB, 2)


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)
