"""The request target as it goes out on the wire."""

import re

_SENDABLE = re.compile(r"[!-~]*")


def literal_pattern(text: str) -> str:
    """A regular expression of a path's text, whether or not what needs it is percent-encoded."""
    return "".join(re.escape(each) if _SENDABLE.fullmatch(each) else _either_way(each) for each in text)


def wire_target(url: str) -> str:
    """`url` with only those characters percent-encoded that would break the request line."""
    if _SENDABLE.fullmatch(url):
        return url
    encoded = url.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E else f"%{byte:02X}" for byte in encoded)


def _either_way(character: str) -> str:
    return f"(?:{re.escape(character)}|(?i:{wire_target(character)}))"
