"""Takes out of an answer what names the side itself: its own base address."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from harness.domain.compare.pointer import parse_pointer

BASE = "$BASE"
"""Stands for scheme, host and port of the side that answered."""
HOSTPORT = "$HOSTPORT"

_MEANINGLESS_STEP = re.compile(r"^(?:-?\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})$")


def abstract_base(body: bytes, base_url: str) -> bytes:
    """The bytes with the side's own address replaced by `$BASE` (`$HOSTPORT` without the scheme).

    Another side's address stays: a target that sends clients back to the legacy is a difference. Idempotent.
    """
    hostport = hostport_of(base_url)
    if not hostport or hostport.encode() not in body:
        return body
    with_scheme, without = _patterns(base_url.rstrip("/"), hostport)
    return without.sub(HOSTPORT.encode(), with_scheme.sub(BASE.encode(), body))


@lru_cache(maxsize=64)
def hostport_of(base_url: str) -> str:
    """Host and port of an address as they stand in it; empty where it has none."""
    return urlsplit(base_url).netloc


def normalise_pointer(pointer: str) -> str:
    """The pointer with list indices and row keys as `*`, so that equal findings meet. Idempotent."""
    tokens = (_normalise_step(token) for token in parse_pointer(pointer))
    return "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in tokens)


def normalise_row_pointer(pointer: str) -> str:
    """A row's pointer (`/table/key/column`) with its key as `*`, whatever the key looks like. Idempotent."""
    parts = pointer.split("/")
    return pointer if len(parts) < 3 else "/".join((*parts[:2], "*", *parts[3:]))


def _normalise_step(step: str) -> str:
    return "*" if _MEANINGLESS_STEP.match(step) else step


@lru_cache(maxsize=64)
def _patterns(base_url: str, hostport: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    scheme, _, rest = base_url.partition("://")
    # JSON may escape slashes; a longer port or host name is another address.
    escaped = rf"{re.escape(scheme)}:(?://|\\/\\/){re.escape(rest)}(?![\w.-]*\w)"
    bare = rf"(?<![\w.-]){re.escape(hostport)}(?![\w.-]*\w)"
    return re.compile(escaped.encode()), re.compile(bare.encode())
