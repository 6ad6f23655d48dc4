"""Secrets in JSON texts: the values of secret names and all that is below them, also in texts within texts.

Nothing is parsed and written again. A text within a text is known by its quotes: one that stands behind a number of
backslashes belongs to the text that is as many levels deep as that number ends in ones, written in binary.
"""

import json
import re
from collections.abc import Callable

from harness.domain.compare.rekey import is_id_name
from harness.domain.redaction_marks import MARK, NUMBER_MARK
from harness.domain.secret_names import NAMES, counts_rows, is_secret_name

Mark = Callable[[bytes], bytes]
_MAX_LEVEL = 3
"""Texts that are nested deeper are not looked into."""
_SPACE = rb"(?:\s|\\+[nrt])*"
_IS = _SPACE + rb":" + _SPACE
_MEMBER = re.compile(rb'"(?P<name>' + NAMES.encode() + rb')(?P<run>\\*)"' + _IS, re.IGNORECASE)
_ESCAPED_MEMBER = re.compile(rb'"(?P<name>(?:[a-z0-9_-]|\\+u00[0-7][0-9a-f]){1,200})(?P<run>\\*)"' + _IS, re.IGNORECASE)
_PAIR = re.compile(
    rb'"(?:name|key)(?P<run>\\*)"' + _IS + rb'(?P=run)"(?P<name>' + NAMES.encode() + rb')(?P=run)"'
    rb"" + _SPACE + rb"," + _SPACE + rb'(?P=run)"value(?P=run)"' + _IS,
    re.IGNORECASE,
)
"""A setting in a list: what it is called, and behind it what it is."""
_ESCAPE = re.compile(rb"(?<!\\)\\+u00([0-7][0-9a-f])", re.IGNORECASE)
_COLON = re.compile(_SPACE + rb":")
_QUOTE = re.compile(rb'(?<!\\)(\\*)"')
_NUMBER = rb"-?\d[\d.eE+\-]*"
_SCALAR = re.compile(rb'(\\*)"|' + _NUMBER)
_TOKEN = re.compile(rb'(?<!\\)(\\*)"|[\[\]{}]|' + _NUMBER)
_BRACKETS = frozenset({b"[", b"]", b"{", b"}"})
_CLOSING = frozenset({b"]", b"}"})
_MOMENT = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?")


def redact_members(data: bytes, mark: Mark) -> bytes:
    """The bytes with a mark for every string and number under or below a secret name; every other byte stays.

    The name is the member's own or, of a `value`, that which the `name` or `key` before it gives. A string or a
    structure that the end of the bytes cuts off is one too. Below such a name numbers that name rows and moments under
    a name of their own stay: both are compared by what they mean, and let nobody in.
    """
    data = _redact_behind(_ESCAPED_MEMBER if rb"\u00" in data else _MEMBER, data, mark)
    return _redact_behind(_PAIR, data, mark)


def _redact_behind(named: re.Pattern[bytes], data: bytes, mark: Mark) -> bytes:
    written, kept, at = list[bytes](), 0, 0
    while (found := named.search(data, at)) is not None:
        level, name = _level(found["run"]), _name(found["name"])
        is_member = level <= _MAX_LEVEL and level == _level(data[_run_before(data, found.start()) : found.start()])
        if not (is_member and is_secret_name(name)):
            at = found.start() + 1
            continue
        value, end = _Value(data, level, mark).redacted(found.end(), name)
        written += [data[kept : found.end()], value]
        kept = at = end
    return b"".join(written) + data[kept:]


class _Value:
    """A value within `data`, whose own quotes are `level` texts deep."""

    def __init__(self, data: bytes, level: int, mark: Mark) -> None:
        self._data = data
        self._level = level
        self._quote: bytes = b"\\" * (2**level - 1) + b'"'
        self._mark = mark

    def redacted(self, start: int, name: str) -> tuple[bytes, int]:
        """What is written for the value that begins there, and where it ends."""
        if self._data[start : start + 1] in (b"{", b"["):
            return self._structure(start, keeps_numbers=counts_rows(name))
        found = _SCALAR.match(self._data, start)
        if found is None:
            return b"", start
        if found[1] is None:
            text = found[0] if counts_rows(name) else self._number(found[0])
            return text, found.end()
        if _level(found[1]) != self._level:
            return b"", start
        content_end, end = self._string_end(found.end())
        content = self._string(found.end(), content_end)
        return found[0] + content + self._data[content_end:end], end

    def _structure(self, start: int, *, keeps_numbers: bool) -> tuple[bytes, int]:
        written, kept, at = list[bytes](), start, start
        names = [""]
        while (found := _TOKEN.search(self._data, at)) is not None:
            if found[0] in _BRACKETS:
                at = found.end()
                if _close_or_open(names, found[0]):
                    break
                continue
            if found[1] is not None and _level(found[1]) < self._level:  # the text around this one ends here
                at = found.start()
                break
            start, end, text = self._member_or_scalar(found, names, keeps_numbers=keeps_numbers)
            if text is not None:
                written += [self._data[kept:start], text]
                kept = end
            at = end
        else:
            at = len(self._data)
        return b"".join(written) + self._data[kept:at], at

    def _member_or_scalar(
        self, found: re.Match[bytes], names: list[str], *, keeps_numbers: bool
    ) -> tuple[int, int, bytes | None]:
        """Where what was found begins and ends, and what is written for it; None where it stays."""
        if found[1] is None:
            keeps = keeps_numbers or is_id_name(names[-1])
            return found.start(), found.end(), None if keeps else self._number(found[0])
        start, (content_end, end) = found.end(), self._string_end(found.end())
        colon = _COLON.match(self._data, end)
        if colon is not None:
            names[-1] = _name(self._data[start:content_end])
            return start, colon.end(), None
        is_moment = names[-1] and not is_secret_name(names[-1]) and _MOMENT.fullmatch(self._data, start, content_end)
        text = None if is_moment else self._string(start, content_end) + self._data[content_end:end]
        return start, end, text

    def _string_end(self, start: int) -> tuple[int, int]:
        """Where the string's content ends, and where what closes it does."""
        for found in _QUOTE.finditer(self._data, start):
            level = _level(found[1])
            if level == self._level:
                return found.end() - len(self._quote), found.end()
            if level < self._level:
                return found.start(), found.start()
        return len(self._data), len(self._data)

    def _string(self, start: int, end: int) -> bytes:
        content = self._data[start:end]
        if b"\\" not in content or content.startswith(MARK.encode()):
            return self._mark(content)
        # Equal texts have equal marks, however they are escaped.
        return self._mark(_unescaped(content, self._level + 1))

    def _number(self, text: bytes) -> bytes:
        return self._quote + self._mark(text).replace(MARK.encode(), NUMBER_MARK.encode()) + self._quote


def _close_or_open(names: list[str], bracket: bytes) -> bool:
    """Keeps the name of the member that each open structure is in the midst of; whether the outermost was closed."""
    if bracket in _CLOSING:
        names.pop()
        return len(names) == 1
    names.append("" if bracket == b"{" else names[-1])
    return False


def _level(backslashes: bytes) -> int:
    """How many texts deep a quote behind so many backslashes is: each level doubles them and adds one."""
    count, level = len(backslashes), 0
    while count & 1:
        count >>= 1
        level += 1
    return level


def _name(escaped: bytes) -> str:
    """A member's name as it is meant: ASCII may be written by its code."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), escaped).decode("utf-8", "replace")


def _run_before(data: bytes, at: int) -> int:
    start = at
    while start and data[start - 1] == ord("\\"):
        start -= 1
    return start


def _unescaped(content: bytes, times: int) -> bytes:
    try:
        text = content.decode("utf-8", "surrogatepass")
        for _ in range(times):
            text = str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return content
    return text.encode("utf-8", "surrogatepass")
