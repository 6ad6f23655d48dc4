"""Work is waited for, whatever happens to the task that asked for it."""

import asyncio
import threading

import pytest

from harness.uninterrupted import run_to_its_end, run_together


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


class Slow:
    """Work that takes its time to end, also when it is cancelled."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.is_done = False

    async def __call__(self) -> str:
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise
        finally:
            self.is_done = True
        return "slow"


async def _fail() -> str:
    raise ValueError("no")


async def test_the_answers_come_in_order() -> None:
    slow = Slow()
    slow.may_end.set()
    assert await run_together(slow(), asyncio.sleep(0, "quick")) == ["slow", "quick"]
    assert await run_together() == []


async def test_an_error_is_raised_when_the_others_are_done() -> None:
    slow = Slow()
    both = asyncio.ensure_future(run_together(_fail(), slow()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not both.done()
    slow.may_end.set()
    with pytest.raises(ValueError, match="no"):
        await both
    assert slow.is_done


async def test_a_cancellation_is_passed_on_to_each_and_waited_for() -> None:
    slow, other = Slow(), Slow()
    both = asyncio.ensure_future(run_together(slow(), other()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    both.cancel()
    with pytest.raises(asyncio.CancelledError):
        await both
    assert slow.is_done and other.is_done
