"""How long to wait before asking again, and when to stop."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SHORTEST_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Attempts and times for one ticker, all of its attempts and waits taken together."""

    attempts: int = 6
    base_s: float = 0.5
    longest_wait_s: float = 30.0
    budget_s: float = 60.0

    def wait_s(self, attempt: int, retry_after_s: float | None, draw: Callable[[], float]) -> float:
        """Seconds before attempt `attempt + 1`: exponential with full jitter, never sooner than the source asks.

        `draw` gives a number from 0 to 1. What the source asks is jittered upwards, else all who were refused
        at once come back at once.
        """
        backoff_s = _SHORTEST_S + draw() * self.base_s * 2.0 ** (attempt - 1)
        return backoff_s if retry_after_s is None else retry_after_s + min(backoff_s, 1.0)

    def is_bearable(self, wait_s: float, left_s: float) -> bool:
        """False where the wait is longer than any is to be, or would leave no time to ask."""
        return wait_s <= self.longest_wait_s and wait_s < left_s


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, at least 0; None where it is absent or unreadable.

    Source: RFC 9110, section 10.2.3: seconds, or an HTTP date. A fraction of a second is taken as well.
    """
    if text is None:
        return None
    if (seconds := _seconds(text)) is not None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _seconds(text: str) -> float | None:
    plain = text.strip()
    if plain.replace(".", "", 1).isascii() and plain.replace(".", "", 1).isdigit():
        return float(plain)
    return None
