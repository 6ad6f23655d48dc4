"""A clock that stands still until a test moves it."""

import asyncio
from datetime import UTC, datetime, timedelta


class SteppedClock:
    """Wakes whoever waits for a time that `advance` has reached."""

    def __init__(self, now: datetime = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._waiting: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        """The time that was set."""
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        """Returns once the clock was moved to `moment` or past it."""
        if moment > self._now:
            woken = asyncio.Event()
            self._waiting.append((moment, woken))
            await woken.wait()

    async def advance(self, **by: float) -> None:
        """Moves from one time that somebody waits for to the next, and lets each of them work."""
        end = self._now + timedelta(**by)
        await self._let_work()
        while due := [moment for moment, _ in self._waiting if moment <= end]:
            self._now = min(due)
            woken = [event for moment, event in self._waiting if moment <= self._now]
            self._waiting = [(moment, event) for moment, event in self._waiting if moment > self._now]
            for event in woken:
                event.set()
            await self._let_work()
        self._now = end

    async def _let_work(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
