"""What goes wrong, decided by a hash: the same request of the same client fails the same way in every run."""

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, replace

from legacy_adapter.market.answers import Answer, json_answer

_SERVER_ERRORS = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettings:
    """Ratios (0 to 1) of requests that fail, and how slow the others are."""

    seed: int = 0
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    throttled_ratio: float = 0.0
    error_ratio: float = 0.0
    truncated_ratio: float = 0.0
    retry_after_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What happens to one request."""

    delay_s: float = 0.0
    replacement: Answer | None = None
    is_truncated: bool = False


class Faults:
    """Decides by client, request and how often that client has made it: other clients change nothing."""

    def __init__(self, settings: FaultSettings) -> None:
        self._settings = settings
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def next_fate(self, client: str, target: str) -> Fate:
        """The fate of this request, counted as asked."""
        with self._lock:
            self._asked[client, target] += 1
            number = self._asked[client, target]
        draws = hashlib.sha256(f"{self._settings.seed}/{number}/{target}".encode()).digest()
        settings = self._settings
        fate = Fate(delay_s=(settings.latency_ms + settings.jitter_ms * _fraction(draws[8:16])) / 1000)
        drawn = _fraction(draws[:8])
        if drawn < settings.throttled_ratio:
            return replace(fate, replacement=self._throttled())
        drawn -= settings.throttled_ratio
        if drawn < settings.error_ratio:
            return replace(fate, replacement=_failed(_SERVER_ERRORS[draws[16] % len(_SERVER_ERRORS)]))
        return replace(fate, is_truncated=drawn - settings.error_ratio < settings.truncated_ratio)

    def _throttled(self) -> Answer:
        again = {"Retry-After": f"{self._settings.retry_after_s:g}"}
        return json_answer({"detail": "Too Many Requests"}, status=429, headers=again)


def _failed(status: int) -> Answer:
    return json_answer({"detail": "The service is unavailable"}, status=status)


def _fraction(digest: bytes) -> float:
    return float(int.from_bytes(digest, "big") / (1 << 8 * len(digest)))
