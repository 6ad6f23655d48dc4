"""Sessions from a HAR file of any size, as browsers' network tools save them: requests alone, without credentials.

The file is looked through once and only numbers are kept of each entry: where it is, when it began, on which page. The
steps of a session are read when it is its turn.
"""

import gzip
import os
import re
import tempfile
import weakref
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

from harness.adapters.har_entry import (
    HarEntry,
    HarRequest,
    Unsendable,
    is_tunnel,
    is_websocket,
    moment_of,
    never_arrived,
    origin_of,
    read_entry,
    step_of_entry,
)
from harness.adapters.json_elements import BrokenJson, array_elements
from harness.domain.errors import ConfigurationError
from harness.domain.grouping import group_of_urls
from harness.domain.session import Session, Step

MAX_STEPS = 500
"""Of one session: a longer page is continued in another, since the steps of a session are held in memory together."""
_PLACE = ("log", "entries")
_BASE = re.compile(r"[^/?#]*://[^/?#]*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_NOTES = 5
_SAVE_AGAIN = "Save it again as HAR from the browser's network tool."
Tell = Callable[[str], None]
TellRead = Callable[[Path, int, int], None]
"""Takes the file, how many of its bytes were looked through, and how many it has, unpacked."""


def tell_nothing(*_: object) -> None:
    """For who does not want to know."""


class _Kind(IntEnum):
    """Whether an entry becomes a step."""

    SENDABLE = 0
    UNSENDABLE = 1
    WEBSOCKET = 2
    NEVER_ARRIVED = 3
    TUNNEL = 4


_SKIPPED_WORDS = {
    _Kind.WEBSOCKET: "WebSocket connections",
    _Kind.TUNNEL: "CONNECT requests of a proxy",
    _Kind.NEVER_ARRIVED: "requests that were aborted or blocked and have no answer",
}


class HarFile:
    """The sessions of a HAR: one a page, or one for a file without pages, in the order in which requests began.

    Guarantees: only requests to the origin of the first one are taken, as path and query; cookies, authorization
    and other credentials in headers are left out; recorded answers are ignored. A page of more than `MAX_STEPS`
    requests is several sessions. Memory is some 30 bytes an entry, and one session at a time while they are gone
    through, which can be done again and again. What was skipped is told to `on_note`, and how far the file was looked
    through to `on_read`, entry by entry.

    Raises:
        ConfigurationError: not a HAR, no request in it, or a field that cannot be read; names the entry.

    Source: HTTP Archive 1.2.
    """

    def __init__(self, path: Path, on_note: Tell = tell_nothing, on_read: TellRead = tell_nothing) -> None:
        self._path = path
        self._file = _opened(path)
        self._close = weakref.finalize(self, self._file.close)
        self._entries = _Entries(self._file, path, on_read)
        self._parts = self._divide(on_note)

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Session]:
        return (self._session(name, numbers) for name, numbers in self._parts)

    @property
    def ids(self) -> Iterator[str]:
        """The ids of the sessions, in order."""
        return (name for name, _ in self._parts)

    def _divide(self, on_note: Tell) -> tuple[tuple[str, Sequence[int]], ...]:
        entries, path = self._entries, self._path
        order = entries.in_time()
        origin = entries.origin_of_first(order)
        pages: dict[int, array[int]] = {}
        skipped: Counter[_Kind] = Counter()
        unsendable = array("Q")
        for number in order:
            kind = _Kind(entries.kinds[number])
            if entries.origins[number] != origin and kind is not _Kind.TUNNEL:
                continue
            skipped[kind] += 1
            if kind is _Kind.SENDABLE:
                pages.setdefault(entries.pages[number], array("Q")).append(number)
            elif kind is _Kind.UNSENDABLE:
                unsendable.append(number)
        self._tell_skipped(on_note, origin, skipped, unsendable)
        if not pages:
            raise ConfigurationError("no request of the HAR can be sent", where=str(path), hint="Record it again.")
        return tuple(self._named_parts(pages, on_note))

    def _tell_skipped(self, on_note: Tell, origin: int, skipped: Counter[_Kind], unsendable: Sequence[int]) -> None:
        entries = self._entries
        beyond = len(entries) - sum(skipped.values())
        if beyond:
            name = entries.origin_names[origin]
            on_note(f"{self._path}: skipped {beyond} of {len(entries)} requests, which go beyond {name}")
        for kind, words in _SKIPPED_WORDS.items():
            if skipped[kind]:
                on_note(f"{self._path}: skipped {skipped[kind]} {words}")
        for number in unsendable[:_MAX_NOTES]:
            on_note(f"{self._path}: skipped entry {number + 1}: {_reason(entries.read(number).request)}")
        if len(unsendable) > _MAX_NOTES:
            on_note(f"{self._path}: skipped {len(unsendable) - _MAX_NOTES} more for such reasons")

    def _named_parts(self, pages: dict[int, "array[int]"], on_note: Tell) -> Iterator[tuple[str, Sequence[int]]]:
        stem = self._path.name.split(".", 1)[0]
        for page, numbers in pages.items():
            name = stem if len(pages) == 1 else f"{stem}#{self._entries.page_names[page] or 'no page'}"
            if len(numbers) > MAX_STEPS:
                count = -(-len(numbers) // MAX_STEPS)
                on_note(f"{name} has {len(numbers)} requests: replayed as {count} sessions, each from the start state")
            for part, start in enumerate(range(0, len(numbers), MAX_STEPS), start=1):
                yield name if part == 1 else f"{name}#{part}", numbers[start : start + MAX_STEPS]

    def _session(self, name: str, numbers: Sequence[int]) -> Session:
        steps = tuple(self._steps(numbers))
        return Session(
            id=name,
            group=group_of_urls(step.url for step in steps),
            steps=steps,
            source=str(self._path),
            tags=("recorded",),
        )

    def _steps(self, numbers: Sequence[int]) -> Iterator[Step]:
        for n, number in enumerate(numbers, start=1):
            try:
                yield step_of_entry(self._entries.read(number).request, n)
            except (OSError, ValueError) as error:
                where = f"{self._path} entry {number + 1}"
                hint = "Leave the file alone while it is replayed; replay it again."
                raise ConfigurationError(f"the file has changed since it was opened: {error}", where=where, hint=hint) \
                    from error  # fmt: skip


class _Entries:
    """What is kept of every entry, by its number in the file; numbers start at 0."""

    def __init__(self, file: BinaryIO, path: Path, on_read: TellRead) -> None:
        self._file = file
        self._path = path
        self._on_read = on_read
        self._offsets, self._lengths, self._begun = array("Q"), array("Q"), array("q")
        self.pages, self.origins, self.kinds = array("L"), array("L"), array("B")
        self.page_names: list[str | None] = []
        self.origin_names: list[str | None] = []
        self._known_pages: dict[str | None, int] = {}
        self._known_origins: dict[str | None, int] = {}
        self._bases: dict[str, str | None] = {}
        self._read_all()

    def __len__(self) -> int:
        return len(self._offsets)

    def read(self, number: int) -> HarEntry:
        """The entry itself, from the file."""
        self._file.seek(self._offsets[number])
        return read_entry(self._file.read(self._lengths[number]))

    def in_time(self) -> Sequence[int]:
        """The numbers in the order in which requests began; those that began together keep the file's."""
        return sorted(range(len(self)), key=self._begun.__getitem__)

    def origin_of_first(self, order: Sequence[int]) -> int:
        """Where the first HTTP request goes."""
        found = next((self.origins[n] for n in order if self.origin_names[self.origins[n]] is not None), None)
        if found is None:
            hint = "Record requests to the system, over http or https."
            raise ConfigurationError("the HAR has no HTTP request", where=str(self._path), hint=hint)
        return found

    def _read_all(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        try:
            for offset, raw in array_elements(self._file, _PLACE):
                self._add(offset, raw)
                self._on_read(self._path, offset + len(raw), size)
        except BrokenJson as error:
            what = f"not a HAR file: {error}, after {len(self)} entries"
            raise ConfigurationError(what, where=str(self._path), hint=_SAVE_AGAIN) from error
        if not len(self):
            hint = "Record at least one request, with the network tool open, then save it."
            raise ConfigurationError("the HAR has no entries", where=str(self._path), hint=hint)

    def _add(self, offset: int, raw: bytes) -> None:
        where = f"{self._path} entry {len(self) + 1}"
        try:
            entry = read_entry(raw)
        except ValueError as error:
            raise ConfigurationError(f"not a HAR file: {error}", where=where, hint=_SAVE_AGAIN) from error
        begun = self._moment(entry, where)
        # A tunnel's address is the proxy's way of writing it: it must not be taken for where requests go.
        is_through = is_tunnel(entry)
        origin = None if is_through else self._origin(entry.request.url)
        self._offsets.append(offset)
        self._lengths.append(len(raw))
        self._begun.append(begun)
        self.pages.append(_number_of(entry.pageref or None, self._known_pages, self.page_names))
        self.origins.append(_number_of(origin, self._known_origins, self.origin_names))
        self.kinds.append(_Kind.TUNNEL if is_through else _Kind.SENDABLE if origin is None else _kind(entry, raw))

    def _moment(self, entry: HarEntry, where: str) -> int:
        """Microseconds since 1970; those of the entry before where it does not say."""
        try:
            moment = moment_of(entry)
        except ValueError as error:
            hint = "The format wants ISO 8601, such as 2026-01-31T09:00:00.000Z."
            raise ConfigurationError(f"startedDateTime cannot be read: {error}", where=where, hint=hint) from error
        if moment is None:
            return self._begun[-1] if self._begun else 0
        return (moment - _EPOCH) // _MICROSECOND

    def _origin(self, url: str) -> str | None:
        match = _BASE.match(url)
        if match is None:
            return None
        base = match.group()
        if base not in self._bases:
            self._bases[base] = origin_of(base)
        return self._bases[base]


def _kind(entry: HarEntry, raw: bytes) -> _Kind:
    if is_websocket(entry):
        return _Kind.WEBSOCKET
    if never_arrived(entry):
        return _Kind.NEVER_ARRIVED
    request = entry.request
    may_be_unsendable = request.postData is not None or request.bodySize or not request.method.isalpha() or b"{{" in raw
    return _Kind.UNSENDABLE if may_be_unsendable and _reason(entry.request) else _Kind.SENDABLE


def _reason(request: HarRequest) -> str:
    """Why a step cannot carry the request; empty where it can."""
    try:
        step_of_entry(request, 1)
    except Unsendable as error:
        return str(error)
    return ""


def _number_of(name: str | None, known: dict[str | None, int], names: list[str | None]) -> int:
    found = known.get(name)
    if found is None:
        found = known[name] = len(names)
        names.append(name)
    return found


def _opened(path: Path) -> BinaryIO:
    """The file; a compressed one is unpacked beside memory, since entries are read in another order than stored."""
    try:
        file = path.open("rb")
        if file.read(2) != b"\x1f\x8b":
            return file
        with file, gzip.open(path, "rb") as packed:
            unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sessions
            try:
                while chunk := packed.read(1 << 20):
                    unpacked.write(chunk)
            except BaseException:
                unpacked.close()
                raise
        return unpacked
    except (OSError, EOFError, zlib.error) as error:
        hint = f"Check that it is whole and readable, and that there is room to unpack it in {tempfile.gettempdir()}."
        raise ConfigurationError(f"cannot read the HAR: {error}", where=str(path), hint=hint) from error
