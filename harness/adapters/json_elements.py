"""The elements of one array inside a large JSON file, one at a time: memory does not grow with the file.

Elements are told apart by their brackets alone and handed on as bytes: a parser for one element then checks and decodes
it. Their offsets are known, so that they can be read again in another order.
"""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from typing import Protocol

MAX_ELEMENT_BYTES = 256 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_STRING_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_STRING = re.compile(_STRING_TEXT, re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb'[^ \t\r\n,:"{}\[\]]++')
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING_TEXT + rb")*+[{}\[\]]", re.DOTALL)
_OPENING = frozenset(b"{[")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ReadableFile(Protocol):
    """A binary file, compressed or not."""

    def read(self, size: int, /) -> bytes:
        """At most as many bytes; none at the end."""


class BrokenJson(ValueError):
    """The file is not JSON, ends too early, or has no such array; `offset` is the byte where that was seen."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what} at byte {offset:,}")
        self.offset = offset


def array_elements(
    file: ReadableFile, path: Sequence[str], *, max_bytes: int = MAX_ELEMENT_BYTES
) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each element of the array at `path`, a member within a member of the document.

    Guarantees: holds one element and a chunk of the file at a time; the document is read to its end, so that one that
    was cut off behind the array is found out too. A byte order mark is skipped.

    Raises:
        BrokenJson: as its docstring says, or an element is larger than `max_bytes`.
    """
    scanner = _Scanner(file, max_bytes)
    if not (yield from _descend(scanner, list(path))):
        raise BrokenJson(f"there is no {'.'.join(path)}", scanner.offset)
    scanner.require_end()


def has_member(file: ReadableFile, name: str) -> bool:
    """Whether the file starts with a JSON object that has this member; what follows the object is not looked at."""
    scanner = _Scanner(file, MAX_ELEMENT_BYTES)
    try:
        return any(key == name for key in _members(scanner))
    except BrokenJson:
        return False


def _descend(scanner: "_Scanner", path: list[str]) -> Generator[tuple[int, bytes], None, bool]:
    """Yields the elements; its value is whether the array was there."""
    found = False
    for key in _members(scanner):
        if key != path[0]:
            continue
        if len(path) > 1:
            found = (yield from _descend(scanner, path[1:])) or found
        else:
            found = True
            yield from _elements(scanner)
    return found


def _members(scanner: "_Scanner") -> Iterator[str]:
    """The keys of the object that comes next; a value that the caller has not read by then is skipped."""
    scanner.expect(b"{")
    if scanner.take(b"}"):
        return
    while True:
        key = scanner.string()
        scanner.expect(b":")
        before = scanner.offset
        yield key
        if scanner.offset == before:
            scanner.skip()
        if scanner.take(b"}"):
            return
        scanner.expect(b",")


def _elements(scanner: "_Scanner") -> Iterator[tuple[int, bytes]]:
    scanner.expect(b"[")
    if scanner.take(b"]"):
        return
    while True:
        yield scanner.value()
        if scanner.take(b"]"):
            return
        scanner.expect(b",")


class _Scanner:
    """A place in the file; only what lies behind it is forgotten."""

    def __init__(self, file: ReadableFile, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._data = b""
        self._at = 0
        self._start = 0
        self._has_ended = False
        self._has_nul = False
        while len(self._data) < len(_BYTE_ORDER_MARK) and self._fill():
            pass
        if self._data.startswith(_BYTE_ORDER_MARK):
            self._at = len(_BYTE_ORDER_MARK)
        self._skip_space()

    @property
    def offset(self) -> int:
        """The place, in bytes from the start of the file."""
        return self._start + self._at

    def take(self, token: bytes) -> bool:
        """Goes past the token and the space behind it, if it comes next."""
        if self._data[self._at : self._at + 1] != token:
            return False
        self._at += 1
        self._skip_space()
        return True

    def expect(self, token: bytes) -> None:
        """As `take`; BrokenJson if something else comes."""
        if not self.take(token):
            raise self._wrong(f"{token.decode()} was expected")

    def string(self) -> str:
        """The string that comes next."""
        if self._data[self._at : self._at + 1] != b'"':
            raise self._wrong("a name was expected")
        _, raw = self.value()
        try:
            return str(json.loads(raw))
        except ValueError as error:
            raise BrokenJson(f"a name that is not JSON ({error})", self.offset) from error

    def value(self) -> tuple[int, bytes]:
        """Offset and bytes of the value that comes next."""
        length = self._find_end(is_kept=True)
        begin, self._at = self._at, self._at + length
        found = self._start + begin, self._data[begin : self._at]
        self._skip_space()
        return found

    def skip(self) -> None:
        """Goes past the value that comes next, however large it is."""
        length = self._find_end(is_kept=False)  # which may move what is read, and the place with it
        self._at += length
        self._skip_space()

    def require_end(self) -> None:
        """Raises BrokenJson if anything comes."""
        if self._at < len(self._data) or self._has_nul:
            raise self._wrong("the end was expected")

    def _find_end(self, *, is_kept: bool) -> int:
        """The length of the next value; where it is not kept, of what is left of it."""
        first = self._data[self._at : self._at + 1]
        if first and first in b"{[":
            return self._find_closing(is_kept=is_kept)
        pattern = _STRING if first == b'"' else _SCALAR
        while True:
            match = pattern.match(self._data, self._at)
            # A number may go on in the next chunk.
            if match is not None and (pattern is _STRING or match.end() < len(self._data) or self._has_ended):
                return match.end() - self._at
            if match is None and first != b'"' and self._at < len(self._data):
                raise self._wrong("a value was expected")
            self._grow()

    def _find_closing(self, *, is_kept: bool) -> int:
        depth, length = 0, 0
        while True:
            match = _TO_BRACKET.match(self._data, self._at + length)
            if match is None:
                if not is_kept:
                    self._at, length = self._at + length, 0
                self._grow()
                continue
            length = match.end() - self._at
            depth += 1 if self._data[match.end() - 1] in _OPENING else -1
            if depth == 0:
                return length

    def _skip_space(self) -> None:
        while True:
            match = _SPACE.match(self._data, self._at)
            self._at = self._at if match is None else match.end()
            if self._at < len(self._data) or not self._fill():
                return

    def _grow(self) -> None:
        if len(self._data) - self._at > self._max_bytes:
            raise self._wrong(f"a value is larger than {self._max_bytes:,} bytes")
        if not self._fill():
            raise self._ended(self._start + len(self._data))

    def _fill(self) -> bool:
        """Forgets what is behind and reads as much again, so that a large value is looked through few times.

        At a NUL byte, which no JSON holds, the file ends: one that was reserved and not written is not gone through.
        """
        rest = self._data[self._at :]
        chunk = b"" if self._has_ended else self._file.read(max(_CHUNK_BYTES, len(rest)))
        chunk, nul, _ = chunk.partition(b"\0")
        self._has_nul = self._has_nul or bool(nul)
        self._has_ended = not chunk or self._has_nul
        self._start, self._at, self._data = self._start + self._at, 0, rest + chunk
        return bool(chunk)

    def _wrong(self, what: str) -> BrokenJson:
        return self._ended(self.offset) if self._at >= len(self._data) else BrokenJson(what, self.offset)

    def _ended(self, offset: int) -> BrokenJson:
        what = "a NUL byte, which no JSON holds (was it written to its end?)" if self._has_nul else "it ends too early"
        return BrokenJson(what, offset)
