"""A measured quantity with its interval."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A figure from a run.

    `name` is stable and dotted, such as `cold_start.p95` or `latency.p99`; `subject` says what was measured
    (`legacy`, `target`, a function or an endpoint). `lower` and `upper` bound it at 95 % confidence, None where
    no interval can be given. `scope` is `local` for everything measured on the local cloud.
    """

    name: str
    subject: str
    value: float
    unit: str
    samples: int
    lower: float | None = None
    upper: float | None = None
    source: str = ""
    scope: str = "local"
    note: str = ""
