"""Bodies in UTF-16 and UTF-32: which of them it is, and how their text is reached without touching the rest."""

import re
from collections.abc import Callable

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?utf[-_]?(16|32)[-_]?(le|be)?\b", re.IGNORECASE)
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
"""Byte order marks, the longer ones first."""
_ASCII = (
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)
"""How the first two characters of a JSON text look, which are ASCII."""


def find_wide_charset(body: bytes, content_type: str) -> str | None:
    """The encoding of a body with two or four bytes a character; None for any other.

    Its byte order mark says so, else the first bytes that only such a text has, else the content type.

    Source: RFC 4627, section 3, for JSON without a mark.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return charset
    for pattern, charset in _ASCII if b"\0" in body[:4] else ():
        if pattern.match(body):
            return charset
    declared = _CHARSET.search(content_type)
    return None if declared is None else f"utf-{declared[1]}-{(declared[2] or 'be').lower()}"


def is_wide(body: bytes) -> bool:
    """Whether the body itself shows that it has two or four bytes a character."""
    return bool(body) and (b"\0" in body[:4] or body[0] >= 0xFE) and find_wide_charset(body, "") is not None


def recoded(body: bytes, charset: str, clean: Callable[[bytes], bytes]) -> bytes | None:
    """The body with its text cleaned; a text that stays, a mark and a cut-off character stay byte for byte.

    One that is only said to be in `charset` is cleaned as it is, too. None where it begins as such a text and is none.
    """
    mark = next((mark for mark, of in _MARKS if of == charset and body.startswith(mark)), b"")
    unit = 4 if "32" in charset else 2
    end = len(body) - (len(body) - len(mark)) % unit
    try:
        text = body[len(mark) : end].decode(charset, "surrogatepass").encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None if is_wide(body) else clean(body)
    cleaned = clean(text)
    if cleaned == text:
        return clean(body)
    return mark + cleaned.decode("utf-8", "surrogatepass").encode(charset, "surrogatepass") + body[end:]
