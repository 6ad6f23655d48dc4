"""Bounded concurrency: the one place where the engine does several things at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")


async def run_each(items: Iterable[_Item], run: Callable[[_Item], Awaitable[None]], *, limit: int) -> None:
    """Awaits `run` for every item, started in order, at most `limit` at any time.

    Items are taken only when there is room for them. The first error ends the others and is raised as it is.
    """
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await run(item)

    workers = [asyncio.create_task(work()) for _ in range(limit)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
