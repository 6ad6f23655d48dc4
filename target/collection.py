"""Garbage collection around imports: what they allocate lives for ever; searching it costs a fifth of their time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def pause_collection() -> None:
    """Collect nothing until `resume_collection`."""
    gc.disable()


def resume_collection() -> None:
    """Collect again, and never look at what has been allocated so far."""
    gc.freeze()
    gc.enable()


@contextmanager
def collection_paused() -> Iterator[None]:
    """Collect nothing within the block, which is best for an import."""
    pause_collection()
    try:
        yield
    finally:
        resume_collection()
