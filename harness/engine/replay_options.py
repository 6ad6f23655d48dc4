"""How a replay is paced."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.domain.identity import Identity
from harness.domain.record import SessionRecord
from harness.domain.row_mapping import RowMapping


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """Pace, patience and clocks; all times in seconds."""

    repeat_gap_s: float = 1.0
    """Between the end of a session's first pass and its repetition: every clock shows another second then."""
    batch_s: float = 2.0
    """Sessions are repeated in batches of about this length, so that a killed replay has lost little."""
    max_failures_in_a_row: int = 5
    concurrency: int = 1
    """Sessions at once. Those that write, or that are compared with their rows, always run alone."""
    mapping: RowMapping | None = None
    """Renamed tables and columns, for the comparison of the two databases at the start."""
    has_reported_start: bool = False
    """A resumed replay: differences between the databases at the start are on record already."""
    on_cut: Callable[[SessionRecord], None] | None = None
    """Takes what was seen of a session that was not replayed to its end; None means as a whole one is taken."""
    new_identity: Callable[[], Identity] = Identity
    """Made anew for every pass of every session."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    clock: Callable[[], datetime] = _utc_now
