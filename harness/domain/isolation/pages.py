"""What a page of rows says of one key."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.domain.isolation.history import History, Op


def ops_of_key(history: History, key: str) -> tuple[Op, ...]:
    """The operations on one key, every page among them as what it showed of the key.

    A page says that a row is not there only where it holds all that matched; otherwise it says nothing of it.
    """
    return tuple(_views(history.ops, key))


def without_pages(ops: Sequence[Op]) -> tuple[Op, ...]:
    """All operations but pages."""
    return tuple(op for op in ops if op.page is None)


def _views(ops: Iterable[Op], key: str) -> Iterable[Op]:
    for op in ops:
        if op.page is None:
            if op.key == key:
                yield op
            continue
        shown = [row for seen, row in op.page.rows if seen == key]
        yield from (replace(op, key=key, row=row) for row in shown)
        if not shown and op.page.is_complete:
            yield replace(op, key=key)
