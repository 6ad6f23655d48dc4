"""How what was redacted is written: the marks of secrets, and of bodies that could not be looked into."""

import re
from typing import Any

MARK = "[redacted:"
NUMBER_MARK = "[redacted:number:"
"""Begins the mark of a number, so that it never equals the mark of the same digits as a string."""
BYTES_MARK = "[redacted:bytes:"
"""Begins the mark of a BLOB."""
_WHOLE = re.compile(rb"\[redacted:[0-9a-f]{16}\] \d+ bytes: ([^\r\n]*)")


def is_number_mark(value: Any) -> bool:
    """Whether a value stands for a number."""
    return isinstance(value, str) and value.startswith(NUMBER_MARK)


def is_bytes_mark(value: Any) -> bool:
    """Whether a value stands for bytes."""
    return isinstance(value, str) and value.startswith(BYTES_MARK)


def as_number_mark(mark: str) -> str:
    """The mark of a text as that of a number."""
    return mark.replace(MARK, NUMBER_MARK, 1)


def as_bytes_mark(mark: str) -> str:
    """The mark of a text as that of bytes."""
    return mark.replace(MARK, BYTES_MARK, 1)


def whole(mark: bytes, size_bytes: int, problem: str) -> bytes:
    """What is stored in place of a body of which nothing could be read: its hash, its length, and why."""
    return b"%b %d bytes: %b" % (mark, size_bytes, problem.encode("utf-8", "replace"))


def find_whole_problem(body: bytes) -> str | None:
    """Why the body was redacted as a whole; None where it was not."""
    found = _WHOLE.fullmatch(body)
    return None if found is None else found[1].decode("utf-8", "replace")
