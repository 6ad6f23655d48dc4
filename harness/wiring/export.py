"""Stored runs in the formats of others."""

from pathlib import Path

from harness.adapters.evidence_files import load_records
from harness.adapters.har_export import write_har
from harness.domain.exchange import Side


def export_har(run: Path, out: Path, side: Side, *, version: str) -> int:
    """Writes one side's exchanges as a HAR file; returns their number.

    Raises:
        EvidenceError: no run is there, or it is damaged.
        ConfigurationError: the file cannot be written.
    """
    return write_har(load_records(run), out, side, version=version)
