"""Values that answers of a session gave and later requests use: found while the session is recorded."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from harness.domain.capture.places import (
    Place,
    replace_in_form,
    replace_in_headers,
    replace_in_json,
    replace_in_url,
)
from harness.domain.capture.words import is_identifier, is_opaque, subjects, subjects_of_path
from harness.domain.exchange import Headers, Request
from harness.domain.pointer import join_pointer
from harness.domain.secret_names import is_secret_name
from harness.domain.substitution import COOKIE, HEADER, path_segments, set_cookies

_MAX_VALUES = 50_000
"""A session, so that one which reads much does not hold the memory; later values are not looked for."""
_MAX_SENT = 50_000
_MAX_LENGTH = 4_096
_MAX_SOURCES = 8
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_NAME = re.compile(r"[^A-Za-z0-9_]+")
_ADDRESSES = frozenset({"location", "content-location"})
_VERSION = "etag"
_NO_VALUES = frozenset({"set-cookie", "content-type", "date", "expires", "last-modified", "server", "content-length"})
"""Headers that give out nothing that a request would refer to, or that have a rule of their own."""
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """An answer: its step, what was asked, and when it was there."""

    step: int
    request: Request
    known_at: datetime

    @property
    def is_write(self) -> bool:
        """Whether the request may have made something."""
        return self.request.method not in _READS


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value that is used came from: `name` is what it is saved as, unique within its session."""

    step: int
    pointer: str
    name: str


class _Known(NamedTuple):
    """A value of an answer, of which most are never used: so no more is made of it than must be."""

    origin: Origin
    where: _Path
    name: str
    is_opaque: bool
    of_headers: str = ""
    """How a `save` names it, where the answer's headers gave it."""

    @property
    def subjects(self) -> frozenset[str]:
        path = self.origin.request.url.split("?", 1)[0]
        return subjects(self.name) or _parent_subjects(self.where) or subjects_of_path(path)

    @property
    def pointer(self) -> str:
        return self.of_headers or join_pointer(self.where)


class References:
    """The values of one session.

    Texts that look made by a machine and values of members that hold secrets are found wherever they are used; short
    identifiers only where both places are about the same thing, so that a page number is never taken for an id. What
    the client sent itself before any answer had it is the client's own, and no reference.
    """

    def __init__(self, mark: Callable[[str], str]) -> None:
        self._mark = mark
        self._known: dict[str, list[_Known]] = {}
        self._read: set[tuple[str, str, str]] = set()
        """Text, member and path of what reads gave: the first to give it is where it came from."""
        self._used: dict[tuple[int, str], Source] = {}
        self._sent: set[str] = set()

    def gave_out(self, text: str) -> bool:
        """Whether an answer had this text."""
        return text in self._known

    def learn(self, origin: Origin, document: Any) -> None:
        """Takes in a parsed answer."""
        path = origin.request.url.split("?", 1)[0]
        for where, name, text in _scalars(document):
            opaque = is_opaque(text) or is_secret_name(name) or _is_secret_text(where, text)
            if not (opaque or is_identifier(name)) or self._is_clients_own(text):
                continue
            if not origin.is_write:
                if (text, name, path) in self._read:
                    continue
                self._read.add((text, name, path))
            self._add(text, _Known(origin, where, name, opaque))
            if len(self._known) > _MAX_VALUES:
                return

    def learn_cookies(self, origin: Origin, headers: Headers) -> None:
        """Takes in the cookies that an answer set."""
        for name, value in set_cookies(headers):
            if value and not self._is_clients_own(value):
                self._add(value, _Known(origin, (COOKIE, name), name, True, f"{COOKIE} {name}"))

    def learn_headers(self, origin: Origin, headers: Headers) -> None:
        """Takes in ids that headers gave: those in the path of `Location`, and whole values."""
        for name, value in headers:
            lowered = name.lower()
            for text, about, opaque, of_headers in _of_header(lowered, value):
                if not self._is_clients_own(text):
                    self._add(text, _Known(origin, (lowered,), about, opaque, of_headers))

    def refer(
        self, request: Request, sent_at: datetime, is_wanted: Callable[[Source], bool] = lambda _: True
    ) -> tuple[Request, tuple[Source, ...]]:
        """The request with `{{name}}` for what answers gave that were there when it was sent, and their sources.

        `request` may hold marks in place of secrets: those are found as the secrets themselves are. What is from a
        source that is not wanted stays as it is.
        """
        used: dict[str, Source] = {}

        def referred(place: Place) -> str | None:
            found = self._find(place, sent_at)
            if found is None:
                return None
            source = self._source(found)
            if not is_wanted(source):
                return None
            used[source.name] = source
            return f"{{{{{source.name}}}}}"

        path = request.url.split("?", 1)[0]
        body = request.body
        if body:
            text = body.decode("utf-8", "surrogatepass")
            kind = next((value for name, value in request.headers if name.lower() == "content-type"), "").lower()
            if "json" in kind or not kind:
                body = replace_in_json(text, path, referred).encode("utf-8", "surrogatepass")
            elif "form-urlencoded" in kind:
                body = replace_in_form(text, path, referred).encode("utf-8", "surrogatepass")
        found = Request(
            method=request.method,
            url=replace_in_url(request.url, referred),
            headers=replace_in_headers(request.headers, referred),
            body=body,
        )
        return found, tuple(used.values())

    def sent(self, request: Request) -> None:
        """Remembers the texts of a request, which are the client's own where no answer gave them before."""
        if len(self._sent) < _MAX_SENT:
            self._sent.update(text for text in _texts(request) if text not in self._known)

    def _find(self, place: Place, sent_at: datetime) -> _Known | None:
        found = [
            known
            for known in self._known.get(place.text, ())
            if known.origin.known_at <= sent_at and (known.is_opaque or known.subjects & place.subjects)
        ]
        return max(found, key=lambda each: _rank(each, place), default=None)

    def _source(self, known: _Known) -> Source:
        key = (known.origin.step, known.pointer)
        found = self._used.get(key)
        if found is None:
            found = self._used[key] = Source(step=key[0], pointer=key[1], name=self._new_name(known.where, key[0]))
        return found

    def _add(self, text: str, known: _Known) -> None:
        for key in (text, self._mark(text)) if known.is_opaque else (text,):
            among = self._known.setdefault(key, [])
            if len(among) >= _MAX_SOURCES:
                del among[1]  # the first one is where the value came from
            among.append(known)

    def _is_clients_own(self, text: str) -> bool:
        return len(text) > _MAX_LENGTH or (text in self._sent and not text.isdigit())

    def _new_name(self, where: _Path, step: int) -> str:
        base = _NAME.sub("_", "_".join(str(part) for part in where)).strip("_") or "value"
        name = base = f"{'_' if base[0].isdigit() else ''}{base}_{step}"
        taken = {source.name for source in self._used.values()}
        repeat = 1
        while name in taken:
            repeat += 1
            name = f"{base}_{repeat}"
        return name


def values_of_answer(document: Any, headers: Headers) -> Iterator[tuple[str, str]]:
    """The texts and whole numbers of an answer, each with how a `save` names its place."""
    for where, _, text in _scalars(document):
        yield join_pointer(where), text
    for name, value in set_cookies(headers):
        yield f"{COOKIE} {name}", value
    for name, value in headers:
        yield f"{HEADER} {name.lower()}", value
        segments = path_segments(value) if name.lower() in _ADDRESSES else ()
        for index, segment in enumerate(segments):
            yield f"{HEADER} {name.lower()} segment {index - len(segments)}", segment


def _rank(known: _Known, place: Place) -> tuple[bool, bool, int]:
    """The last write that gave it, else the first read."""
    origin = known.origin
    return bool(known.subjects & place.subjects), origin.is_write, origin.step if origin.is_write else -origin.step


def _scalars(document: Any) -> Iterator[tuple[_Path, str, str]]:
    """Path, name and text of each string and whole number; an element has the name of its list."""
    stack: list[tuple[_Path, str, Any]] = [((), "", document)]
    while stack:
        where, name, node = stack.pop()
        if isinstance(node, dict):
            stack += [((*where, key), key, value) for key, value in reversed(node.items())]
        elif isinstance(node, list):
            stack += [((*where, index), name, node[index]) for index in range(len(node) - 1, -1, -1)]
        elif node and isinstance(node, str | int) and not isinstance(node, bool):
            yield where, name, str(node)


def _of_header(name: str, value: str) -> Iterator[tuple[str, str, bool, str]]:
    """Texts that a header gave, what each is about, whether it looks made by a machine, and how a `save` names it."""
    if name in _ADDRESSES:
        segments = path_segments(value)
        for index, (before, text) in enumerate(pairwise(segments), start=1):
            if is_opaque(text) or any(map(str.isdigit, text)):
                yield text, before, is_opaque(text), f"{HEADER} {name} segment {index - len(segments)}"
    elif name not in _NO_VALUES and (name == _VERSION or is_opaque(value) or is_identifier(name)):
        yield value, name, name == _VERSION or is_opaque(value), f"{HEADER} {name}"


def _is_secret_text(where: _Path, text: str) -> bool:
    """Whether it is below a secret name; numbers there may be ids, which look like page numbers."""
    return not text.isdigit() and any(is_secret_name(part) for part in where if isinstance(part, str))


def _parent_subjects(where: _Path) -> frozenset[str]:
    names = [part for part in where[:-1] if isinstance(part, str)]
    return subjects(names[-1]) - {"data", "item", "result"} if names else frozenset()


def _texts(request: Request) -> Iterator[str]:
    path, _, query = request.url.partition("?")
    yield from (unquote(segment) for segment in path.split("/") if segment)
    yield from (value for _, value in parse_qsl(query))
    for _, value in request.headers:
        yield from (value, value.rpartition(" ")[2])
    if request.body:
        found: list[str] = []

        def collect(place: Place) -> None:
            found.append(place.text)

        text = request.body.decode("utf-8", "replace")
        (replace_in_json if text[:1] in '{["' else replace_in_form)(text, "", collect)
        yield from found
