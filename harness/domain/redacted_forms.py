"""Secrets in forms: the fields of an urlencoded text and the parts of a multipart body, by their names."""

import re
from collections.abc import Callable
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes

Clean = Callable[[bytes], bytes]
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/"
_SAFE = "[]:"
"""Left as they are where a cleaned value is encoded again, so that what was redacted can be seen."""
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]+)"|([^;\s"]+))', re.IGNORECASE)
_PART_NAME = re.compile(rb';\s*name(\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', re.IGNORECASE)
_NESTED = re.compile(rb"^content-type\s*:\s*multipart/", re.IGNORECASE | re.MULTILINE)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LEVELS = re.compile(r"[\[\].]+")


class FormRules:
    """How fields are judged: by their name, else by what their value holds."""

    def __init__(self, is_secret: Callable[[str], bool], mark: Clean, clean: Clean) -> None:
        self._is_secret = is_secret
        self._mark = mark
        self._clean = clean

    def urlencoded(self, text: bytes) -> bytes:
        """A query or a form body without secrets; every other byte stays."""
        return b"&".join(self._field(field) for field in text.split(b"&"))

    def multipart(self, body: bytes, content_type: str) -> bytes | None:
        """A multipart body without secrets, its other bytes as they were; None where it has no part as declared."""
        found = _BOUNDARY.search(content_type)
        if found is None:
            return None
        delimiter = b"--" + (found[1] or found[2]).encode("utf-8", "surrogatepass")
        preamble, *parts = body.split(delimiter)
        return delimiter.join([self._clean(preamble), *map(self._part, parts)]) if parts else None

    def _field(self, field: bytes) -> bytes:
        name, equals, value = field.partition(b"=")
        if not value:
            return field
        if self._names_secret(_unquoted(name).decode("utf-8", "replace")):
            return name + equals + self._mark(value)
        plain = _unquoted(value)
        clean = self._clean(plain)
        return field if clean == plain else name + equals + quote_from_bytes(clean, _SAFE).encode()

    def _part(self, part: bytes) -> bytes:
        if part.startswith(b"--"):  # the closing delimiter, and what follows it
            return b"--" + self._clean(part[2:])
        end = _END_OF_HEAD.search(part)
        if end is None:  # no part is like that, so nothing says what it holds
            return self._masked(part)
        head, content = part[: end.start()], part[end.end() :]
        is_secret = _NESTED.search(head) is not None or self._names_secret(_part_name(head))
        return self._clean(part[: end.end()]) + (self._masked(content) if is_secret else self._clean(content))

    def _masked(self, content: bytes) -> bytes:
        """The mark of what stands before the line end that belongs to the delimiter."""
        start = len(content) - len(content.lstrip(b"\r\n"))
        end = max(start, len(content.rstrip(b"\r\n")))
        return content[:start] + self._mark(content[start:end]) + content[end:]

    def _names_secret(self, name: str) -> bool:
        """Whether any level of a name such as `user[password]` is that of a secret."""
        return any(self._is_secret(level.strip()) for level in _LEVELS.split(name))


def is_form(content_type: str) -> bool:
    """Whether fields are to be looked for in bodies of this type."""
    kind = content_type.lstrip().lower()
    return kind.startswith((_URLENCODED, _MULTIPART))


def is_multipart(content_type: str) -> bool:
    """Whether the fields are parts."""
    return content_type.lstrip().lower().startswith(_MULTIPART)


def _part_name(head: bytes) -> str:
    found = _PART_NAME.search(head)
    if found is None:
        return ""
    name = (found[2] if found[2] is not None else found[3]).decode("utf-8", "replace")
    return unquote(name.rpartition("'")[2]) if found[1] else name.replace("\\", "")


def _unquoted(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
