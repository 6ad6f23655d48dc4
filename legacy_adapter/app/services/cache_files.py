"""What the Parquet cache folder holds (contract section 4.3)."""

from datetime import datetime
from pathlib import Path
from typing import Any

CACHE_FOLDER = Path("cache")
_MB = 1024 * 1024
_LISTED = 10


def cache_counts() -> dict[str, Any]:
    """Sizes, ages and the split by market, which is told from file names alone."""
    files = sorted(CACHE_FOLDER.glob("*.parquet"))
    sizes = sum(path.stat().st_size for path in files)
    times = sorted(path.stat().st_mtime for path in files)
    us = sum(_counts_as_us(path.name.lower()) for path in files)
    return {
        "cache_size_mb": round(sizes / _MB, 2),
        "cache_files": len(files),
        "last_refresh": _local(times[-1]) if times else None,
        "us_tickers_cached": us,
        "asx_tickers_cached": len(files) - us,
        "oldest_cache": _local(times[0]) if times else None,
        "newest_cache": _local(times[-1]) if times else None,
    }


def cache_listing() -> dict[str, Any]:
    """The folder as the refresh route tells it."""
    files = sorted(CACHE_FOLDER.glob("*.parquet"))
    counts = cache_counts()
    return {
        "cache_dir": str(CACHE_FOLDER),
        "total_files": len(files),
        "total_size_mb": counts["cache_size_mb"],
        "oldest_cache": counts["oldest_cache"],
        "newest_cache": counts["newest_cache"],
        "files": [_described(path) for path in files[:_LISTED]],
    }


def _described(path: Path) -> dict[str, Any]:
    state = path.stat()
    return {"name": path.name, "size_mb": round(state.st_size / _MB, 2), "modified": _local(state.st_mtime)}


def _counts_as_us(name: str) -> bool:
    if "tiingo" in name or "us" in name:
        return True
    return "ax" not in name and "asx" not in name


def _local(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp).isoformat()
