"""The wall clock, as every time in an answer or a row is told."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time now: UTC, naive, with microseconds."""
    return datetime.now(UTC).replace(tzinfo=None)
