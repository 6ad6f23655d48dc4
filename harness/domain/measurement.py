"""A measured quantity with its interval, and how quantities are written."""

import math
from dataclasses import dataclass, replace

BASELINE_SUBJECTS = frozenset({"legacy", "control"})
"""Subjects that are measured to compare with; a target is never judged by them."""

_MILLISECONDS = {"ms": 1, "s": 1_000, "min": 60_000}


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

    def in_unit(self, unit: str) -> "Measurement":
        """The same quantity in another unit of time.

        Raises:
            ValueError: the two units do not measure the same thing.
        """
        if unit == self.unit:
            return self
        if unit not in _MILLISECONDS or self.unit not in _MILLISECONDS:
            raise ValueError(f"{self.name} is in {self.unit or 'no unit'}, not in {unit or 'no unit'}")
        times, over = _MILLISECONDS[self.unit], _MILLISECONDS[unit]
        lower, upper = (None if end is None else end * times / over for end in (self.lower, self.upper))
        return replace(self, value=self.value * times / over, unit=unit, lower=lower, upper=upper)


def format_quantity(value: float, unit: str) -> str:
    """A figure for people: three significant digits or the whole number, with its unit.

    From a second on, milliseconds are written as seconds. Thousands are parted by a comma; money leads with
    its sign; what never came is `no answer`.
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "no answer"
    if unit == "ms" and abs(value) >= 1000:
        value, unit = value / 1000, "s"
    if unit.startswith("USD"):
        period = unit.removeprefix("USD").replace("/", " a ")
        return f"${value:,.2f}{period}"
    return f"{_format_number(value)} {unit}".rstrip()


def _format_number(value: float) -> str:
    if value == int(value):
        return f"{int(value):,}"
    whole_digits = len(str(int(abs(value)))) if abs(value) >= 1 else 1
    return f"{value:,.{max(0, 3 - whole_digits)}f}"
