"""One GET with its retries: an answer's JSON, or the class of what went wrong."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from pydantic_core import from_json

from target.market_data.bars import FailureClass
from target.market_data.rate_limit import Clock, Sleep, TokenBucket
from target.market_data.retries import RetryPolicy, parse_retry_after
from target.market_data.rows import Malformed

_REFUSALS = {
    401: FailureClass.REFUSED_CREDENTIALS,
    403: FailureClass.REFUSED_CREDENTIALS,
    404: FailureClass.UNKNOWN_TICKER,
}


class FetchFailed(Exception):
    """No usable answer came, for a reason of this class."""

    def __init__(self, failure: FailureClass) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where time and chance come from; tests give their own."""

    clock: Clock = time.monotonic
    sleep: Sleep = asyncio.sleep
    draw: Callable[[], float] = random.random
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How one source is asked: connections, rate, patience."""

    client: httpx.AsyncClient
    bucket: TokenBucket
    policy: RetryPolicy
    timing: Timing

    async def get_json(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> object:
        """Return an answer's JSON; throttling, server errors and broken connections are retried within the budget.

        Raises:
            FetchFailed: the last attempt's failure, or one that no attempt cures.
        """
        ends_at = self.timing.clock() + self.policy.budget_s
        attempt = 1
        while True:
            left_s = ends_at - self.timing.clock()
            if not await self.bucket.take(within_s=min(left_s, self.policy.longest_wait_s)):
                raise FetchFailed(FailureClass.THROTTLED)
            failure, retry_after_s = await self._attempt(path, query, headers)
            if not isinstance(failure, FailureClass):
                return _parse(failure)
            await self._wait(failure, attempt, retry_after_s, ends_at)
            attempt += 1

    async def _wait(self, failure: FailureClass, attempt: int, retry_after_s: float | None, ends_at: float) -> None:
        wait_s = self.policy.wait_s(attempt, retry_after_s, self.timing.draw)
        is_bearable = self.policy.is_bearable(wait_s, ends_at - self.timing.clock())
        if not failure.may_pass or failure is FailureClass.REFUSED_CREDENTIALS or not is_bearable:
            raise FetchFailed(failure)
        if attempt >= self.policy.attempts:
            raise FetchFailed(failure)
        await self.timing.sleep(wait_s)

    async def _attempt(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[FailureClass | bytes, float | None]:
        """Body or failure, and the seconds that the source asks to wait."""
        try:
            answer = await self.client.get(path, params=query, headers=headers)
        except httpx.TimeoutException:
            return FailureClass.TIMEOUT, None
        except httpx.RequestError:  # refused, reset, a body that ends early or is not what its coding says
            return FailureClass.SERVER_ERROR, None
        if answer.status_code == 200:
            return answer.content, None
        return _failure_of(answer.status_code), parse_retry_after(answer.headers.get("Retry-After"), self.timing.now())


def _failure_of(status: int) -> FailureClass:
    if status == 429:
        return FailureClass.THROTTLED
    if status >= 500:
        return FailureClass.SERVER_ERROR
    return _REFUSALS.get(status, FailureClass.MALFORMED)


def _parse(body: bytes) -> object:
    try:
        return from_json(body)
    except ValueError:
        raise Malformed("the answer is no JSON") from None
