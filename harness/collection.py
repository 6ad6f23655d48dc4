"""Garbage collection for a process that makes many small records: rarely."""

import gc

_NEW_OBJECTS = 50_000
_YOUNG_RUNS, _MIDDLE_RUNS = 50, 100


def collect_rarely() -> None:
    """Looks for cycles far less often than by default.

    A replay or a judgement makes hundreds of thousands of objects without cycles; with the defaults a third of its
    time goes into looking through them (`python -m bench --only replay_throughput`).
    """
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_RUNS, _MIDDLE_RUNS)
