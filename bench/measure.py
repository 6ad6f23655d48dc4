"""Times a value against its reference, interleaved in one run, and gives the medians."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of `artifacts/bench.json`: the medians of value and reference, and their ratio."""

    name: str
    value: float
    unit: str
    reference: float
    ratio: float


class NotMeasurable(Exception):
    """What a benchmark is set beside is not on this machine; the message says what."""


class Part(StrEnum):
    """What of a figure a limit is about."""

    VALUE = "value"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The bound that a figure must keep: one from above, or with `is_floor` one from below."""

    bound: float
    of: Part = Part.RATIO
    is_floor: bool = False
    most: float | None = None
    """What the value may be at most, beside."""

    def is_kept(self, figure: Figure) -> bool:
        """Whether the figure lies on the right side; the bound itself does."""
        measured = figure.value if self.of is Part.VALUE else figure.ratio
        if self.most is not None and figure.value > self.most:
            return False
        return measured >= self.bound if self.is_floor else measured <= self.bound

    def __str__(self) -> str:
        also = "" if self.most is None else f", value ≤ {self.most:g}"
        return f"{self.of} {'≥' if self.is_floor else '≤'} {self.bound:g}{also}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """`run` gives the figure; `about` says in a line what value and reference are."""

    name: str
    about: str
    run: Callable[[], Figure]
    limit: Limit


def measure(name: str, value: Callable[[], object], reference: Callable[[], object], *, rounds: int = 7) -> Figure:
    """Median CPU times in ms; every round times both, in turn, so that drift meets both alike."""
    value_ms, reference_ms = [], []
    for _ in range(rounds):
        value_ms.append(_time_ms(value))
        reference_ms.append(_time_ms(reference))
    return figure(name, median(value_ms), median(reference_ms), unit="ms")


def measure_rate(
    name: str, count: int, value: Callable[[], object], reference: Callable[[], object], *, rounds: int = 5
) -> Figure:
    """How many of `count` things value and reference get through in a second of CPU time, as medians."""
    times = measure(name, value, reference, rounds=rounds)
    return figure(name, count * 1000 / times.value, count * 1000 / times.reference, unit="/s")


def figure(name: str, value: float, reference: float, *, unit: str) -> Figure:
    """The figure, rounded to what is worth printing."""
    return Figure(
        name=name, value=round(value, 3), unit=unit, reference=round(reference, 3), ratio=round(value / reference, 4)
    )


def _time_ms(run: Callable[[], object]) -> float:
    gc.collect()
    started = time.process_time()
    run()
    return (time.process_time() - started) * 1000
