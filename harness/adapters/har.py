"""Sessions from a HAR file, as browsers' network tools save them: requests alone, without credentials."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Headers
from harness.domain.grouping import group_of_urls
from harness.domain.redaction import SECRET_HEADERS, SECRET_NAME
from harness.domain.session import Session, Step
from harness.domain.substitution import placeholders

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What the next client writes itself, or what belongs to the recorded connection alone.
_CONNECTION_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "connection",
        "keep-alive",
        "proxy-connection",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
    }
)
_FORM = "application/x-www-form-urlencoded"


class _Pair(msgspec.Struct):
    name: str
    value: str = ""


class _Param(msgspec.Struct):
    name: str
    value: str | None = None
    fileName: str | None = None  # noqa: N815 - the format's own name


class _PostData(msgspec.Struct):
    mimeType: str = ""  # noqa: N815
    text: str | None = None
    encoding: str | None = None
    params: list[_Param] | None = None


class _Request(msgspec.Struct):
    method: str
    url: str
    headers: list[_Pair] = []
    postData: _PostData | None = None  # noqa: N815


class _Entry(msgspec.Struct):
    startedDateTime: str  # noqa: N815
    request: _Request
    pageref: str | None = None


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _Document(msgspec.Struct):
    log: _Log


@dataclass(frozen=True, slots=True, kw_only=True)
class _Timed:
    """An entry with its place in the file, for messages, and when it began."""

    number: int
    started_at: datetime
    entry: _Entry


class _Unsendable(ValueError):
    """A request that a step cannot carry."""


def har_sessions(document: Any, path: Path, on_note: Callable[[str], None] = lambda _: None) -> tuple[Session, ...]:
    """One session a page, or one for a file without pages, in the order in which requests began.

    Guarantees: only requests to the origin of the first one are taken, as path and query; cookies, authorization
    and other credentials in headers are left out; recorded answers are ignored. What was skipped is told to `on_note`.

    Raises:
        ConfigurationError: not a HAR, no request in it, or a field that cannot be read; names the entry.

    Source: HTTP Archive 1.2.
    """
    entries = _ordered(_parse(document, path), path)
    origin = _first_origin(entries, path)
    kept = [timed for timed in entries if _origin(timed.entry.request.url) == origin]
    if len(kept) < len(entries):
        on_note(f"{path}: skipped {len(entries) - len(kept)} of {len(entries)} requests, which go beyond {origin}")
    pages: dict[str | None, list[Step]] = {}
    for timed in kept:
        try:
            step = _step(timed)
        except _Unsendable as error:
            on_note(f"{path}: skipped entry {timed.number}: {error}")
        else:
            pages.setdefault(timed.entry.pageref, []).append(step)
    if not pages:
        raise ConfigurationError("no request of the HAR can be sent", where=str(path), hint="Record it again.")
    return tuple(_session(page, steps, path, alone=len(pages) == 1) for page, steps in pages.items())


def _parse(document: Any, path: Path) -> list[_Entry]:
    try:
        entries = msgspec.convert(document, _Document).log.entries
    except msgspec.ValidationError as error:
        hint = "Save it again as HAR from the browser's network tool."
        raise ConfigurationError(f"not a HAR file: {error}", where=str(path), hint=hint) from error
    if not entries:
        hint = "Record at least one request, with the network tool open, then save it."
        raise ConfigurationError("the HAR has no entries", where=str(path), hint=hint)
    return entries


def _ordered(entries: Sequence[_Entry], path: Path) -> list[_Timed]:
    # Exporters write entries as they end; requests that began together keep the file's order.
    return sorted(
        (
            _Timed(number=number, started_at=_moment(entry, number, path), entry=entry)
            for number, entry in enumerate(entries, start=1)
        ),
        key=lambda timed: timed.started_at,
    )


def _moment(entry: _Entry, number: int, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(entry.startedDateTime)
    except ValueError as error:
        where = f"{path} entry {number}"
        hint = "The format wants ISO 8601, such as 2026-01-31T09:00:00.000Z."
        raise ConfigurationError(f"startedDateTime cannot be read: {error}", where=where, hint=hint) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _first_origin(entries: Iterable[_Timed], path: Path) -> str:
    for timed in entries:
        origin = _origin(timed.entry.request.url)
        if origin is not None:
            return origin
    hint = "Record requests to the system, over http or https."
    raise ConfigurationError("the HAR has no HTTP request", where=str(path), hint=hint)


def _origin(url: str) -> str | None:
    """Scheme, host and port; None for anything but HTTP, such as data: and wss:."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port or _DEFAULT_PORTS[parts.scheme]}"


def _step(timed: _Timed) -> Step:
    request = timed.entry.request
    target = _target(request.url)
    step = Step(
        n=timed.number,
        name=f"{request.method} {target}",
        method=request.method,
        url=target,
        headers=_headers(request),
        body=_body(request.postData),
    )
    used = [
        *placeholders(target),
        *placeholders(step.body or ""),
        *(n for _, v in step.headers for n in placeholders(v)),
    ]
    if used:
        raise _Unsendable(f"it holds {{{{{used[0]}}}}}, which means a saved value here")
    return step


def _target(url: str) -> str:
    # Byte for byte as recorded: splitting and joining again would lose an empty query.
    rest = url.split("#", 1)[0].split("://", 1)[1]
    at = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    target = rest[at:]
    return target if target.startswith("/") else f"/{target}"


def _headers(request: _Request) -> Headers:
    kept = tuple((header.name, header.value) for header in request.headers if _travels(header.name))
    body = request.postData
    if body is None or any(name.lower() == "content-type" for name, _ in kept):
        return kept
    return (*kept, ("content-type", body.mimeType)) if body.mimeType else kept


def _travels(name: str) -> bool:
    lowered = name.lower()
    if lowered.startswith(":") or lowered in _CONNECTION_HEADERS:  # HTTP/2 and 3 write the request line as headers
        return False
    return lowered not in SECRET_HEADERS and SECRET_NAME.fullmatch(lowered.removeprefix("x-")) is None


def _body(data: _PostData | None) -> str | None:
    if data is None:
        return None
    if data.text is not None and (data.text or not data.params):
        return _decoded(data.text) if data.encoding == "base64" else data.text
    if not data.params:
        return None
    if data.mimeType.split(";", 1)[0].strip().lower() not in {"", _FORM} or any(p.fileName for p in data.params):
        raise _Unsendable(f"its body was saved as parameters of {data.mimeType or 'a file'}, without the text sent")
    return urlencode([(param.name, param.value or "") for param in data.params])


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise _Unsendable("its body is binary, and steps carry text") from None


def _session(page: str | None, steps: Sequence[Step], path: Path, *, alone: bool) -> Session:
    stem = path.name.split(".", 1)[0]
    return Session(
        id=stem if alone else f"{stem}#{page or 'no page'}",
        group=group_of_urls(step.url for step in steps),
        steps=tuple(replace(step, n=n) for n, step in enumerate(steps, start=1)),
        source=str(path),
        tags=("recorded",),
    )
