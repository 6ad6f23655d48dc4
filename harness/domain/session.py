"""Ordered steps of one user, replayed identically on both sides."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.domain.exchange import Headers

RECORDED_TAG = "recorded"
GENERATED_TAG = "generated"
PROCESS_MEMORY_TAG = "process_memory"
"""Marks a session that needs processes which remember nothing."""
STATELESS_TAG = "stateless"
"""Marks a session whose requests leave no state behind, whatever their methods say."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Requests that leave the state alone (RFC 9110, 9.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Repeat the step until the value at `pointer` is none of `while_values`, then record it."""

    pointer: str
    while_values: tuple[Any, ...]
    interval_s: float = 0.2
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedResponse:
    """What a recording says the answer was; `$TEXT`, `$BASE`, `$HOSTPORT` and `$APPROOT` are placeholders."""

    status: int
    headers: Headers
    body: Any
    transport_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request to make; `{{name}}` in url, headers and body stands for a value saved earlier."""

    n: int
    name: str
    method: str
    url: str
    headers: Headers = ()
    body: str | None = None
    """Text to send; JSON bodies are already serialised, `content-type` is then among the headers."""
    auth: str | None = None
    save: tuple[tuple[str, str], ...] = ()
    """(name, JSON pointer) pairs to keep from this answer; `cookie NAME` in place of a pointer keeps a cookie."""
    volatile: tuple[str, ...] = ()
    volatile_headers: tuple[str, ...] = ()
    tie: tuple[str, ...] = ()
    reused: tuple[str, ...] = ()
    poll: Poll | None = None
    sleep_s: float = 0.0
    network: str | None = None
    recorded: RecordedResponse | None = None
    """None when the answer is withheld, or when the session is not a recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Steps that share state: both sides start from the same state before the first step."""

    id: str
    group: str
    """The part of the system it exercises, such as a router's name; parity is judged by group."""
    steps: tuple[Step, ...]
    source: str = ""
    """The file it came from, for messages."""
    tags: tuple[str, ...] = field(default=())
    """`process_memory` among them: what the system remembers in its process must be fresh."""


class Sessions(Protocol):
    """Sessions whose number is known before they are read; they can be gone through again and again."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[Session]:
        """They themselves, in order."""
