"""The correlation id: one text that joins all that is done for one request, message or event."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNSAFE = re.compile(r"[^A-Za-z0-9_=.:-]")
_LONGEST = 64

_current: ContextVar[str] = ContextVar("correlation_id", default="")


def correlation_id() -> str:
    """Return the id of what is being served, empty outside of any.

    Guarantees: at most 64 of the letters, digits and `_=.:-`, so that it can stand in a log line or an SQL comment.
    """
    return _current.get()


@contextmanager
def correlated(given: str) -> Iterator[str]:
    """Make `given` the correlation id within the block, without the characters that an id may not have."""
    token = _current.set(_UNSAFE.sub("", given)[:_LONGEST])
    try:
        yield correlation_id()
    finally:
        _current.reset(token)
