"""How far long work is: a bar on a terminal, else a line now and then, as a log wants it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_BETWEEN_LINES_S = 10.0
Tell = Callable[[int, int | None], None]
"""Takes how many are done, and how many there are where that is known."""


@contextmanager
def shown_progress(doing: str, unit: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """Shows on stderr what is told while the context is open; a bar leaves nothing behind.

    Without a terminal there is a line at most every ten seconds, so short work says nothing.
    """
    if not sys.stderr.isatty():
        yield _lines(doing, unit, clock)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(doing: str, unit: str, clock: Callable[[], float]) -> Tell:
    last = clock()

    def tell(done: int, total: int | None) -> None:
        nonlocal last
        if clock() - last >= _BETWEEN_LINES_S:
            last = clock()
            print(f"{doing}: {done:,}{'' if total is None else f' of {total:,}'} {unit}", file=sys.stderr, flush=True)

    return tell
