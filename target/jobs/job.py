"""What a job is, before and after it ran."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4


class JobKind(StrEnum):
    """What there is to do; each kind has one runner."""

    BACKTEST = "backtest"
    SCAN = "scan"
    REFRESH = "refresh"


class JobState(StrEnum):
    """Where a job stands. FAILED is not for ever: a job whose message comes again is run again."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of background work.

    `payload` holds what JSON can carry, finite numbers only. `subject` is whose latest job can be asked for, such as
    a backtest's strategy.
    """

    kind: JobKind
    payload: Mapping[str, Any]
    subject: str | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
