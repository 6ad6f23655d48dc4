"""What the price cache did, counted and told as metrics."""

from dataclasses import dataclass

from target.observability.metrics import MetricUnit, record_metric

_METRICS = {
    "hits": ("PriceCacheHits", MetricUnit.Count),
    "misses": ("PriceCacheMisses", MetricUnit.Count),
    "reused": ("PriceTablesReused", MetricUnit.Count),
    "read_bytes": ("PriceBytesRead", MetricUnit.Bytes),
    "written_bytes": ("PriceBytesWritten", MetricUnit.Bytes),
    "conflicts": ("PriceWriteConflicts", MetricUnit.Count),
}


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

    def add(self, **amounts: int) -> None:
        """Count these, by field."""
        for field, amount in amounts.items():
            name, unit = _METRICS[field]
            setattr(self, field, getattr(self, field) + amount)
            record_metric(name, unit, amount)
