"""One entry of a HAR file, in any browser's dialect, as the step that sends its request again.

Unknown members, such as those that start with `_`, are passed over; what a dialect leaves out or writes as null counts
as absent.
"""

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import msgspec

from harness.domain.exchange import Headers
from harness.domain.secret_names import is_secret_header
from harness.domain.session import Step
from harness.domain.substitution import placeholders

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORM = "application/x-www-form-urlencoded"
_SWITCHING_PROTOCOLS = 101
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
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NEVER_ARRIVED = re.compile(r"abort|block|cancel|refused|disconnected|not[ _]resolved|offline", re.I)
"""In the words of browsers for a request without an answer: the system has not handled it, as far as is known."""


_Text = str | int | float | bool | None
"""What the format has as a string, and some programs write as a number."""


class _Pair(msgspec.Struct):
    name: str
    value: _Text = None


class _Param(msgspec.Struct):
    name: str
    value: _Text = None
    fileName: str | None = None  # noqa: N815 - the format's own name


class _PostData(msgspec.Struct):
    mimeType: str | None = None  # noqa: N815
    text: str | None = None
    encoding: str | None = None
    params: list[_Param] | None = None
    file: str | None = msgspec.field(name="_file", default=None)
    digest: str | None = msgspec.field(name="_sha1", default=None)
    """Both name the file beside the HAR that Playwright puts a body into."""


class HarRequest(msgspec.Struct):
    """The part of an entry that is sent again."""

    method: str
    url: str
    headers: list[_Pair] | None = None
    postData: _PostData | None = None  # noqa: N815
    bodySize: float | None = None  # noqa: N815


class _Response(msgspec.Struct):
    status: int | float | str | None = None
    error: str | None = msgspec.field(name="_error", default=None)


class HarEntry(msgspec.Struct):
    """What is read of an entry."""

    request: HarRequest
    startedDateTime: str | None = None  # noqa: N815
    pageref: str | None = None
    response: _Response | None = None
    error: str | None = msgspec.field(name="_error", default=None)
    resource_type: str | None = msgspec.field(name="_resourceType", default=None)


class Unsendable(ValueError):
    """A request that a step cannot carry, and why."""


_decoder = msgspec.json.Decoder(HarEntry)


def read_entry(raw: bytes) -> HarEntry:
    """The entry.

    Raises:
        ValueError: it is not JSON, or lacks what a request needs.
    """
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Half of a surrogate pair, which scripts may send, is refused by the quick parser.
        return msgspec.convert(json.loads(raw), HarEntry)


def moment_of(entry: HarEntry) -> datetime | None:
    """When it began, aware; a time without a zone is UTC. None where the entry does not say.

    Raises:
        ValueError: it says it in no form of ISO 8601.
    """
    if not entry.startedDateTime:
        return None
    moment = datetime.fromisoformat(entry.startedDateTime)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def origin_of(url: str) -> str | None:
    """Scheme, host and port; None for anything but HTTP, such as data: and wss:."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port or _DEFAULT_PORTS[parts.scheme]}"


def is_websocket(entry: HarEntry) -> bool:
    """Whether it opened a WebSocket, whatever the scheme that it is written with."""
    return entry.resource_type == "websocket" or _status_of(entry) == _SWITCHING_PROTOCOLS


def is_tunnel(entry: HarEntry) -> bool:
    """Whether a proxy wrote down how a client reached it; what went through follows as entries of its own."""
    return entry.request.method.upper() == "CONNECT"


def _status_of(entry: HarEntry) -> int | None:
    status = None if entry.response is None else entry.response.status
    if isinstance(status, str):
        return int(status) if status.isdecimal() else None
    return None if status is None else int(status)


def never_arrived(entry: HarEntry) -> bool:
    """Whether the browser gave the request up: status 0, and nothing says that the server broke the connection."""
    if entry.response is None or _status_of(entry) != 0:
        return False
    told = entry.error or entry.response.error
    return not told or _NEVER_ARRIVED.search(told) is not None


def step_of_entry(request: HarRequest, number: int) -> Step:
    """The step; cookies, authorization and other credentials in headers are left out.

    Raises:
        Unsendable: its body is not what was sent, or no text; or it holds what means a saved value here.
    """
    target = _target(request.url)
    if not _METHOD.fullmatch(request.method):
        raise Unsendable(f"its method is {request.method!r}")
    if request.postData is None and (request.bodySize or 0) > 0:
        raise Unsendable(f"it had a body of {request.bodySize:g} bytes, which was not saved")
    step = Step(
        n=number,
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
        raise Unsendable(f"it holds {{{{{used[0]}}}}}, which means a saved value here")
    return step


def _target(url: str) -> str:
    # Byte for byte as recorded: splitting and joining again would lose an empty query.
    rest = url.split("#", 1)[0].split("://", 1)[1]
    at = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    target = rest[at:]
    return target if target.startswith("/") else f"/{target}"


def _headers(request: HarRequest) -> Headers:
    kept = tuple((header.name, _text(header.value)) for header in request.headers or () if _travels(header.name))
    body = request.postData
    if body is None or any(name.lower() == "content-type" for name, _ in kept):
        return kept
    return (*kept, ("content-type", body.mimeType)) if body.mimeType else kept


def _travels(name: str) -> bool:
    lowered = name.lower()
    if lowered.startswith(":") or lowered in _CONNECTION_HEADERS:  # HTTP/2 and 3 write the request line as headers
        return False
    return not is_secret_header(lowered)


def _body(data: _PostData | None) -> str | None:
    if data is None:
        return None
    if data.text is not None and (data.text or not (data.params or data.file or data.digest)):
        return _decoded(data.text) if data.encoding == "base64" else data.text
    if data.file or data.digest:
        raise Unsendable("its body lies in another file: record with the content embedded")
    if not data.params:
        return None
    kind = data.mimeType or ""
    if kind.split(";", 1)[0].strip().lower() not in {"", _FORM} or any(p.fileName for p in data.params):
        raise Unsendable(f"its body was saved as parameters of {kind or 'a file'}, without the text sent")
    return urlencode([(param.name, _text(param.value)) for param in data.params])


def _text(value: _Text) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise Unsendable("its body is binary, and steps carry text") from None
