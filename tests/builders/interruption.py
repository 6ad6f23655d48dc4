"""Cancels a piece of work at each of its moments in turn, so that no moment is left to chance."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """Cancels a task the `at`-th time that it, or a task it has begun, waits for something.

    With `is_late` that is when what is waited for has come already: a server has done what it was asked for.
    """

    def __init__(self, at: int, *, is_late: bool) -> None:
        self._left = at
        self._is_late = is_late
        self._task: asyncio.Task[object] | None = None

    @property
    def has_come(self) -> bool:
        """False where the work was done before."""
        return self._left <= 0

    async def during(self, work: Callable[[], Awaitable[object]]) -> None:
        """Does the work, or a part of it.

        Raises:
            AssertionError: it was interrupted and did not say so by being cancelled.
        """
        with self._watched():
            self._task = asyncio.create_task(_awaited(work))
            await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()
            assert not self.has_come, "the interruption was swallowed"

    @contextmanager
    def _watched(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(lambda loop, work, **more: asyncio.Task(_Stepped(work, self._wait), loop=loop, **more))
        try:
            yield
        finally:
            loop.set_task_factory(None)

    def _wait(self, awaited: Any) -> None:
        self._left -= 1
        if self._left or self._task is None:
            return
        if self._is_late and isinstance(awaited, asyncio.Future):
            awaited.add_done_callback(self._cancel)
        else:
            self._cancel(awaited)

    def _cancel(self, _: object) -> None:
        if self._task is not None:
            self._task.cancel()


async def _awaited(work: Callable[[], Awaitable[object]]) -> object:
    return await work()


class _Stepped(Coroutine[Any, Any, Any]):
    """Another coroutine, which tells each time that it waits."""

    def __init__(self, work: Any, on_wait: Callable[[Any], None]) -> None:
        self._work = work
        self._on_wait = on_wait

    def send(self, value: Any) -> Any:
        return self._told(self._work.send(value))

    def throw(self, *error: Any) -> Any:
        return self._told(self._work.throw(*error))

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._work)

    def _told(self, awaited: Any) -> Any:
        self._on_wait(awaited)
        return awaited
