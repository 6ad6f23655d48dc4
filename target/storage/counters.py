"""What the price cache did, counted."""

from dataclasses import dataclass


@dataclass(slots=True)
class CacheCounters:
    """Since the process began."""

    hits: int = 0
    """Tickers of a load whose every day was in the cache."""
    misses: int = 0
    """Tickers of a load that had to be asked for."""
    reused: int = 0
    """Reads that a table in this process's memory answered, its version being confirmed."""
    read_bytes: int = 0
    written_bytes: int = 0
    conflicts: int = 0
    """Writes that were done again because another writer came first."""
