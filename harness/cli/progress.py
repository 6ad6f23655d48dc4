"""How far long work is: a bar on a terminal, else a line now and then, as a log wants it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_BETWEEN_LINES_S = 10.0
Tell = Callable[[int, int | None], None]
"""Takes how many are done, and how many there are where that is known."""


@contextmanager
def shown_progress(doing: str, unit: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """Shows on stderr what is told while the context is open; a bar leaves nothing behind.

    Without a terminal there is a line at most every ten seconds, so short work says nothing.
    """
    if not sys.stderr.isatty():
        yield lines_now_and_then(doing, unit, clock)
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


@contextmanager
def shown_stages(first: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[str], None]]:
    """As `shown_progress`, for work that says in words what it is at, beginning with `first`."""
    if not sys.stderr.isatty():
        now_and_then = _throttled(clock)
        yield lambda text: now_and_then(f"… {text}")
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(first, total=None)
        yield lambda text: bar.update(task, description=text)


def lines_now_and_then(doing: str, unit: str, clock: Callable[[], float] = time.monotonic) -> Tell:
    """A line on stderr at most every ten seconds, also beside a bar."""
    now_and_then = _throttled(clock)
    return lambda done, total: now_and_then(f"{doing}: {done:,}{'' if total is None else f' of {total:,}'} {unit}")


def _throttled(clock: Callable[[], float]) -> Callable[[str], None]:
    last = clock()

    def tell(line: str) -> None:
        nonlocal last
        if clock() - last >= _BETWEEN_LINES_S:
            last = clock()
            print(line, file=sys.stderr, flush=True)

    return tell
