"""JSON Pointers (RFC 6901): parsing, resolving and building them."""

from collections.abc import Iterable
from typing import Any


class PointerError(LookupError):
    """A pointer that is malformed, or that points at nothing in the document."""


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The unescaped reference tokens; the empty pointer, which is the whole document, has none.

    Raises:
        PointerError: it does not start with `/`, or has a `~` that is neither `~0` nor `~1`.

    Source: RFC 6901, sections 3 and 4.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise PointerError(f"a JSON pointer starts with '/': {pointer!r}")
    return tuple(_unescape(token, pointer) for token in pointer[1:].split("/"))


def join_pointer(tokens: Iterable[str | int]) -> str:
    """The pointer made of these tokens, each escaped; no tokens make the empty pointer."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def resolve_pointer(document: Any, pointer: str) -> Any:
    """The value that `pointer` names in a parsed JSON document.

    Raises:
        PointerError: the pointer is malformed or names nothing there.
    """
    value = document
    for token in parse_pointer(pointer):
        value = _step_into(value, token, pointer)
    return value


def _step_into(value: Any, token: str, pointer: str) -> Any:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list) and _is_index(token) and int(token) < len(value):
        return value[int(token)]
    raise PointerError(f"nothing at {token!r} of {pointer!r}")


def _is_index(text: str) -> bool:
    # RFC 6901, section 4: no sign, no leading zeros.
    return text.isascii() and text.isdigit() and (len(text) == 1 or text[0] != "0")


def _unescape(token: str, pointer: str) -> str:
    rest = token.replace("~0", "").replace("~1", "")
    if "~" in rest:
        raise PointerError(f"'~' is followed by neither 0 nor 1 in {pointer!r}")
    return token.replace("~1", "/").replace("~0", "~")
