"""How often a source may be asked, whoever asks for whatever reason: retries count too."""

import asyncio
import time
from collections.abc import Awaitable, Callable

Sleep = Callable[[float], Awaitable[object]]
Clock = Callable[[], float]

_HOUR_S = 3600.0


class TokenBucket:
    """Lets through at most `per_hour` requests within any hour, half of them at once if nobody asked before.

    Kept by one process: a second execution environment has a bucket of its own, and the source's own 429 is what holds
    them together.
    """

    def __init__(self, per_hour: int, *, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        if per_hour < 2:
            raise ValueError(f"A rate limit of {per_hour} requests an hour lets nothing through: set at least 2.")
        # A full bucket and what refills within the hour are both half of the limit, so together never more than it.
        self._capacity = per_hour / 2
        self._per_second = self._capacity / _HOUR_S
        self._clock, self._sleep = clock, sleep
        self._tokens = self._capacity
        self._filled_at = clock()

    async def take(self, *, within_s: float) -> bool:
        """Take one token, waiting for it at most `within_s`; False, and nothing taken, where that is too short."""
        wait_s = self._reserve(within_s)
        if wait_s is None:
            return False
        if wait_s > 0:
            await self._sleep(wait_s)
        return True

    def _reserve(self, within_s: float) -> float | None:
        """Seconds until the token that is now promised to the caller is there; below zero tokens, others wait too."""
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        wait_s = max(0.0, (1 - self._tokens) / self._per_second)
        if wait_s > within_s:
            return None
        self._tokens -= 1
        return wait_s
