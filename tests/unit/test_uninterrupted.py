"""Work is waited for, whatever happens to the task that asked for it."""

import asyncio
import threading

import pytest

from harness.uninterrupted import run_to_its_end


async def test_the_answer_and_the_error_of_the_work_are_passed_on() -> None:
    def fail() -> None:
        raise ValueError("no")

    assert await run_to_its_end(asyncio.to_thread(lambda: 5)) == 5
    with pytest.raises(ValueError, match="no"):
        await run_to_its_end(asyncio.to_thread(fail))


@pytest.mark.parametrize("fails", [False, True])
async def test_a_task_that_is_cancelled_twice_ends_after_its_thread(fails: bool) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait()
        ended.set()
        if fails:
            raise ValueError("nobody hears of it")

    task = asyncio.create_task(run_to_its_end(asyncio.to_thread(work)))
    await asyncio.to_thread(begun.wait)
    for _ in range(2):
        task.cancel()
        await asyncio.wait([task], timeout=0.01)
        assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
