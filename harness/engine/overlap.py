"""Bounded concurrency: the one place where the engine does several things at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


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


async def run_together(*works: Awaitable[_Answer]) -> list[_Answer]:
    """The answers of all, in order.

    Guarantees that none is under way any more when this returns or raises; a cancellation is passed on to each. The
    first error is raised as it is.
    """
    # Without `return_exceptions` the others would be left to themselves with the first error or cancellation.
    ended = await asyncio.gather(*works, return_exceptions=True)
    answers = list[_Answer]()
    for each in ended:
        if isinstance(each, BaseException):
            raise each
        answers.append(each)
    return answers
