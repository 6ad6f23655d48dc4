"""Work that is waited for, whatever happens to the task that asked for it."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

_Answer = TypeVar("_Answer")
_Given = ParamSpec("_Given")


async def run_to_its_end(
    work: Coroutine[Any, Any, _Answer], *, on_cancel: Callable[[], None] = lambda: None
) -> _Answer:
    """The answer of `work`; `on_cancel` may ask it to end sooner, and is called when the first cancellation comes.

    Guarantees that the work is done when this returns or raises; a cancellation is passed on only then. A thread cannot
    be cancelled, and a statement that is cut off leaves its connection in a state that only the server knows: whoever
    went on to use or close what is still worked on would crash the process, or find a transaction left open.
    """
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        on_cancel()
        while not working.done():
            try:
                await asyncio.wait([working])
            except asyncio.CancelledError:
                continue  # asked again; the first request is passed on below
        if not working.cancelled():
            working.exception()  # nobody is left to hear of it
        raise


def uninterrupted(
    method: Callable[_Given, Coroutine[Any, Any, _Answer]],
) -> Callable[_Given, Coroutine[Any, Any, _Answer]]:
    """A method whose every call is `run_to_its_end`."""

    @functools.wraps(method)
    async def whole(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        return await run_to_its_end(method(*args, **kwargs))

    return whole


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
