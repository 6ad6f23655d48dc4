"""Delta debugging over a session's steps: which of them a finding needs.

Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002), the ddmin algorithm.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace

from harness.domain.session import Session, Step
from harness.domain.substitution import step_placeholders

Kept = tuple[int, ...]
"""Positions of steps, ascending."""


def minimise(items: Kept) -> Generator[Kept, bool, Kept]:
    """Yields subsets to try and is sent whether each still shows the finding; returns the smallest that did.

    Guarantees that every subset returned was tried (or is `items`), and that taking out any one item more was tried
    and failed. `items` itself is taken to show the finding.
    """
    if (yield ()):
        return ()
    parts = 2
    while len(items) > 1:
        smaller = yield from _find_smaller(items, parts)
        if smaller is not None:
            parts = 2 if len(smaller) * 2 <= len(items) else max(parts - 1, 2)
            items = smaller
        elif parts >= len(items):
            break
        else:
            parts = min(2 * parts, len(items))
    return items


def with_savers(steps: Sequence[Step], kept: Iterable[int]) -> Kept:
    """The positions with those of the steps that save what they refer to, and what those refer to in turn."""
    waiting, found = list(kept), set[int]()
    while waiting:
        position = waiting.pop()
        if position not in found:
            found.add(position)
            waiting += _savers(steps, position)
    return tuple(sorted(found))


def sub_session(session: Session, kept: Kept, name: str) -> Session:
    """The session with these steps only, numbered anew, under another id."""
    steps = tuple(replace(session.steps[position], n=n) for n, position in enumerate(kept, start=1))
    return replace(session, id=name, steps=steps)


def _find_smaller(items: Kept, parts: int) -> Generator[Kept, bool, Kept | None]:
    chunks = [items[len(items) * n // parts : len(items) * (n + 1) // parts] for n in range(parts)]
    for chunk in chunks:
        if (yield chunk):
            return chunk
    for chunk in chunks:
        rest = tuple(item for item in items if item not in chunk)
        if parts > 2 and (yield rest):  # of two parts, each is the other's rest
            return rest
    return None


def _savers(steps: Sequence[Step], position: int) -> Iterable[int]:
    for name in step_placeholders(steps[position]):
        earlier = (n for n in range(position - 1, -1, -1) if name in dict(steps[n].save))
        yield from [n for n in [next(earlier, None)] if n is not None]
