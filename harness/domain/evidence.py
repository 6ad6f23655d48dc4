"""A file that backs a claim."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A file in a run directory: `path` is relative to it."""

    path: str
    sha256: str
    source: str
    recorded_at: datetime
