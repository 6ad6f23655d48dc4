"""A token bucket: API Gateway's throttle of a stage."""

import time
from collections.abc import Callable


class TokenBucket:
    """Admits `rate_rps` requests a second on average and `burst` at once."""

    def __init__(self, *, rate_rps: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_rps = rate_rps
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._filled_at = clock()

    def take(self) -> bool:
        """True if one more request may pass now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate_rps)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
