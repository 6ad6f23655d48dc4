"""One request with its response and timing, on one side.

Structs, not dataclasses: a replay makes several for every answer, and a struct is made in a sixth of the time.
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

Headers = tuple[tuple[str, str], ...]
"""A multimap in the order received; names keep the case they were sent in."""
NOT_SENT = "not sent"
"""How the transport error of a request begins that could not be made from what was answered before."""


class Side(StrEnum):
    """The two systems under comparison."""

    LEGACY = "legacy"
    TARGET = "target"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent: `url` is path and query exactly as on the wire, relative to the side's base address."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, undecoded: `body` is after transfer decoding and before content decoding."""

    status: int
    headers: Headers
    body: bytes
    is_truncated: bool = False

    def header_values(self, name: str) -> tuple[str, ...]:
        """All values of a header, in order; names are matched without regard to case."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its outcome: exactly one of `response` and `transport_error` is set."""

    side: Side
    base_url: str
    request: Request
    response: Response | None
    transport_error: str | None = None
    sent_at: datetime
    duration_ms: float

    @property
    def received_at(self) -> datetime:
        """When the last byte arrived, aware UTC."""
        return self.sent_at + timedelta(milliseconds=self.duration_ms)


class ExchangePair(msgspec.Struct, frozen=True, kw_only=True):
    """The two sides' exchanges of one step of one session."""

    session_id: str
    group: str
    step: int
    name: str
    operation: str
    """Endpoint template, such as `GET /api/trades/{trade_id}`."""
    legacy: Exchange
    target: Exchange
    volatile: tuple[str, ...] = ()
    volatile_headers: tuple[str, ...] = ()
    tie: tuple[str, ...] = ()
    """Sort keys among whose equal values the order is open; `*` when the keys are not known."""
    polled: bool = False
    """Whether the step waited for work in the background, repeating its request."""
