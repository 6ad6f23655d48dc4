"""What the parts of a distributed replay tell each other: an order for all workers, and a line for each session."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from harness.domain.exchange import Exchange
from harness.domain.session import Session

_Kind = TypeVar("_Kind")

ORDER_VARIABLE = "PARAKEET_LOAD_ORDER"
"""Names the file that the master reads the order from."""
LINES_VARIABLE = "PARAKEET_LOAD_LINES"
"""Names the file that the master writes what it receives into."""
WORKER_VARIABLE = "PARAKEET_LOAD_WORKER"
"""Which worker a process is, as `WorkerIdentity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerIdentity:
    """One worker: of the arrivals it takes each `of`th, beginning with number `index` (from 0)."""

    name: str
    address: str
    index: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An arrival: the session of that name is due `at_s` seconds after the start."""

    number: int
    at_s: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """The whole load; headers of a side's sessions have its credentials already."""

    legacy_url: str
    target_url: str
    legacy: Mapping[str, Session]
    target: Mapping[str, Session]
    arrivals: tuple[Due, ...]
    limit_s: float
    concurrency: int
    """Of each worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine:
    """A session that a worker has replayed; or, with number 0, that it has `started` all that it would."""

    worker: str
    number: int
    late_ms: float = 0.0
    steps: tuple[tuple[Exchange, Exchange], ...] = ()
    started: int = 0


def encode(message: Any) -> bytes:
    """One line of ASCII, without its end: a session may hold lone surrogates, which have no other form."""
    return json.dumps(msgspec.to_builtins(message), separators=(",", ":")).encode()


def decode(text: bytes | str, kind: type[_Kind]) -> _Kind:
    """What was encoded.

    Raises:
        ValueError: it is no such message.
    """
    return msgspec.convert(json.loads(text), kind)
