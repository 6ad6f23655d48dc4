"""One request with its retries, under a clock of the test's own."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from target.market_data.bars import FailureClass
from target.market_data.rate_limit import TokenBucket
from target.market_data.retries import RetryPolicy
from target.market_data.rows import Malformed
from target.market_data.transport import FetchFailed, Timing, Transport

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
Answers = Callable[[int], httpx.Response]


class World:
    """A source that answers attempt by attempt, and time that passes only by waiting."""

    def __init__(self, answer: Answers, *, per_hour: int = 10_000, attempt_s: float = 0.0, **policy: float) -> None:
        self.answer, self.attempt_s = answer, attempt_s
        self.now_s, self.waits, self.requests = 0.0, [], []
        timing = Timing(clock=lambda: self.now_s, sleep=self.sleep, draw=lambda: 0.5, now=lambda: NOW)
        self.transport = Transport(
            client=httpx.AsyncClient(base_url="http://source.test/as/us", transport=httpx.MockTransport(self.serve)),
            bucket=TokenBucket(per_hour, clock=timing.clock, sleep=timing.sleep),
            policy=RetryPolicy(**policy),  # type: ignore[arg-type]
            timing=timing,
        )

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_s += seconds

    def serve(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.now_s += self.attempt_s
        return self.answer(len(self.requests))

    async def get(self) -> object:
        return await self.transport.get_json("/prices", {"startDate": "2026-01-01"}, {"Authorization": "Token x"})

    async def failure(self) -> FailureClass:
        with pytest.raises(FetchFailed) as raised:
            await self.get()
        return raised.value.failure


def after(number: int, *, status: int, **headers: str) -> Answers:
    """Fail so many times, then answer."""
    return lambda attempt: httpx.Response(status, headers=headers) if attempt <= number else httpx.Response(200, json=1)


def broken(error: type[httpx.TransportError]) -> Answers:
    def answer(_attempt: int) -> httpx.Response:
        raise error("broken")

    return answer


async def test_the_path_follows_the_sources_own_address_and_the_token_is_no_part_of_it():
    world = World(after(0, status=200))
    assert await world.get() == 1
    assert str(world.requests[0].url) == "http://source.test/as/us/prices?startDate=2026-01-01"
    assert world.requests[0].headers["Authorization"] == "Token x"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again_and_waited_for_longer_each_time(status: int):
    world = World(after(3, status=status))
    assert await world.get() == 1
    assert world.waits == [0.5, 0.75, 1.25]


@pytest.mark.parametrize(
    ("header", "least"),
    [("3", 3.0), ("0.5", 0.5), ("Tue, 24 Nov 2026 06:00:07 GMT", 7.0), ("soon", 0.25), ("-4", 0.25)],
)
async def test_the_source_is_never_asked_sooner_than_it_says(header: str, least: float):
    world = World(after(1, status=429, **{"Retry-After": header}))
    assert await world.get() == 1
    assert least <= world.waits[0] <= least + 1


async def test_a_wait_longer_than_bearable_fails_at_once():
    world = World(after(1, status=429, **{"Retry-After": "3600"}))
    assert await world.failure() is FailureClass.THROTTLED
    assert world.waits == []


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, FailureClass.REFUSED_CREDENTIALS),
        (403, FailureClass.REFUSED_CREDENTIALS),
        (404, FailureClass.UNKNOWN_TICKER),
        (302, FailureClass.MALFORMED),
        (422, FailureClass.MALFORMED),
    ],
)
async def test_what_asking_again_does_not_cure_is_asked_once(status: int, failure: FailureClass):
    world = World(after(9, status=status, Location="http://elsewhere.test/"))
    assert await world.failure() is failure
    assert len(world.requests) == 1


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (httpx.ReadTimeout, FailureClass.TIMEOUT),
        (httpx.ConnectTimeout, FailureClass.TIMEOUT),
        (httpx.ConnectError, FailureClass.SERVER_ERROR),
        (httpx.RemoteProtocolError, FailureClass.SERVER_ERROR),
    ],
)
async def test_a_broken_connection_is_asked_again_as_often_as_allowed(
    error: type[httpx.TransportError], failure: FailureClass
):
    world = World(broken(error), attempts=4)
    assert await world.failure() is failure
    assert len(world.requests) == 4


async def test_all_attempts_together_stay_within_the_budget():
    world = World(after(99, status=503), attempts=99, attempt_s=4.0, budget_s=20.0)
    assert await world.failure() is FailureClass.SERVER_ERROR
    assert world.now_s <= 24.0  # the last attempt may begin just before its end


async def test_an_answer_that_is_no_json_is_malformed():
    with pytest.raises(Malformed):
        await World(lambda _: httpx.Response(200, content=b"<html>")).get()


async def test_no_more_requests_than_the_rate_limit_leave_within_an_hour():
    world = World(after(0, status=200), per_hour=20)
    left: list[float] = []
    for _ in range(20):
        assert await world.transport.bucket.take(within_s=1e9)
        left.append(world.now_s)
    for first in left:
        assert sum(first <= moment < first + 3600 for moment in left) <= 20
    assert left[9] == 0.0  # half of the limit at once
    assert left[10] == pytest.approx(360.0)


async def test_a_token_that_comes_too_late_is_not_waited_for():
    world = World(after(0, status=200), per_hour=2)
    assert await world.get() == 1
    assert await world.failure() is FailureClass.THROTTLED
    assert len(world.requests) == 1


def test_a_limit_that_lets_nothing_through_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        TokenBucket(1)
