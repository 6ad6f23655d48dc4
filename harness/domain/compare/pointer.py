"""RFC 6901 pointers as text and as paths."""

from typing import Any

Path = tuple[str | int, ...]
"""Member names and list indices from the root."""

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__slots__": ()})()
"""Stands for "no value": a member that is missing is neither null nor empty."""


def to_pointer(path: Path) -> str:
    """The RFC 6901 text of a path; empty for the root."""
    return "".join(f"/{_escape(step)}" for step in path)


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The unescaped tokens of a pointer."""
    if not pointer:
        return ()
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def value_at(document: Any, path: Path) -> Any:
    """The value at a path, or ABSENT."""
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return document


def _escape(step: str | int) -> str:
    if isinstance(step, int):
        return str(step)
    return step.replace("~", "~0").replace("/", "~1") if "~" in step or "/" in step else step
