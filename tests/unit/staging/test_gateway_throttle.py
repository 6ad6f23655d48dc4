"""The token bucket with a clock of its own."""

from harness.staging.throttle import TokenBucket


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_burst_passes_at_once_and_no_more() -> None:
    bucket = TokenBucket(rate_rps=1, burst=3, clock=_Clock())

    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


def test_tokens_come_back_at_the_rate_up_to_the_burst() -> None:
    clock = _Clock()
    bucket = TokenBucket(rate_rps=2, burst=2, clock=clock)
    assert bucket.take()
    assert bucket.take()

    clock.now = 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    clock.now = 100.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
