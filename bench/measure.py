"""Times a value against its reference, interleaved in one run, and gives the medians."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of `artifacts/bench.json`: the medians of value and reference, and their ratio."""

    name: str
    value: float
    unit: str
    reference: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """`run` gives the figure; `limit` is what its ratio must not pass (`is_floor`: not fall below)."""

    name: str
    run: Callable[[], Figure]
    limit: float
    is_floor: bool = False


def measure(name: str, value: Callable[[], object], reference: Callable[[], object], *, rounds: int = 7) -> Figure:
    """Median times in ms; every round times both, in turn, so that drift meets both alike."""
    value_ms, reference_ms = [], []
    for _ in range(rounds):
        value_ms.append(_time_ms(value))
        reference_ms.append(_time_ms(reference))
    middle, base = median(value_ms), median(reference_ms)
    return Figure(name=name, value=round(middle, 3), unit="ms", reference=round(base, 3), ratio=round(middle / base, 4))


def _time_ms(run: Callable[[], object]) -> float:
    gc.collect()
    started = time.process_time()
    run()
    return (time.process_time() - started) * 1000
