"""Work in a thread that is waited for, whatever happens to the task that asked for it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")


async def run_to_its_end(work: Callable[[], _Answer]) -> _Answer:
    """The answer of `work`, done in another thread.

    Guarantees that the thread is done when this returns or raises. A task can be cancelled and a thread cannot: whoever
    goes on to close what the thread still works on, a SQLite connection say, crashes the process.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            try:
                await asyncio.wait([working])
            except asyncio.CancelledError:
                continue  # asked again; the first request is passed on below
        if not working.cancelled():
            working.exception()  # nobody is left to hear of it
        raise
