"""Several things at once: none of them is left behind, however they end."""

import asyncio

import pytest

from harness.engine.overlap import run_together


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
