"""One step as a session file writes it, and its conversion into the domain's Step."""

import json
from typing import Any

import msgspec

from harness.adapters.tokens import AUTH_KINDS
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Headers
from harness.domain.pointer import PointerError, parse_pointer
from harness.domain.session import Poll, RecordedResponse, Step
from harness.domain.substitution import is_saved_of_headers

_JSON = ("content-type", "application/json")
_WrittenHeaders = dict[str, str | list[str]] | list[tuple[str, str]]


class RequestLine(msgspec.Struct, forbid_unknown_fields=True):
    """The request of a step; at most one of `json` and `raw`."""

    method: str
    url: str
    headers: _WrittenHeaders = {}
    json: Any = msgspec.UNSET
    raw: str | None = None
    auth: str | None = None


class ResponseLine(msgspec.Struct):
    """The recorded answer, or how the connection broke; a recorder may note more beside it."""

    status: int = 0
    headers: dict[str, str | list[str]] = {}
    body: Any = None
    transport_error: str | bool | None = None


class PollLine(msgspec.Struct):
    """Repeat while the value at `pointer` is (one of) `while`; a recorder may note more beside it."""

    pointer: str
    while_: Any = msgspec.field(name="while")
    interval: float = 0.2
    timeout: float = 60.0


class StepLine(msgspec.Struct, forbid_unknown_fields=True):
    """Every field of a step; `response` is absent in sessions that are not recordings."""

    request: RequestLine
    n: int | None = None
    name: str = ""
    session: str | None = None
    save: dict[str, str] = {}
    response: ResponseLine | None = None
    volatile: list[str] = []
    volatile_headers: list[str] = []
    tie: bool | str | list[str] | None = None
    reused: bool | str | list[str] | None = None
    poll: PollLine | None = None
    sleep: float | None = None
    network: Any = None


class SessionDocument(msgspec.Struct, forbid_unknown_fields=True):
    """A session file of ours."""

    format_version: int
    id: str
    group: str
    steps: list[StepLine]
    tags: list[str] = []
    description: str = ""


class SessionEntry(msgspec.Struct, forbid_unknown_fields=True):
    """One session of a file that holds several."""

    id: str
    group: str
    steps: list[StepLine]
    tags: list[str] = []


class SessionsDocument(msgspec.Struct, forbid_unknown_fields=True):
    """A session file of ours with several sessions."""

    format_version: int
    sessions: list[SessionEntry]
    description: str = ""


def step_of(line: StepLine, number: int, where: str) -> Step:
    """The domain's step; `number` stands in for an absent `n`.

    Raises:
        ConfigurationError: a field contradicts another or has an unknown value; names `where` and the fix.
    """
    _require_sound(line, where)
    request = line.request
    return Step(
        n=number if line.n is None else line.n,
        name=line.name or f"{request.method} {request.url}",
        method=request.method,
        url=request.url,
        headers=_headers(request),
        body=_body(request),
        auth=request.auth,
        save=tuple(line.save.items()),
        volatile=tuple(line.volatile),
        volatile_headers=tuple(name.lower() for name in line.volatile_headers),
        tie=_names(line.tie),
        reused=_names(line.reused),
        poll=_poll(line.poll),
        sleep_s=line.sleep or 0.0,
        network=None if line.network is None else _word(line.network),
        recorded=_recorded(line.response),
    )


def _require_sound(line: StepLine, where: str) -> None:
    request = line.request
    problem = ""
    if not request.url.startswith("/"):
        problem = f"url {request.url!r} is not a path: start it with '/', without scheme and host"
    elif request.json is not msgspec.UNSET and request.raw is not None:
        problem = "both json and raw are given: keep one"
    elif request.auth is not None and request.auth not in AUTH_KINDS:
        problem = f"unknown auth kind {request.auth!r}: use one of {', '.join(sorted(AUTH_KINDS))}"
    elif line.sleep is not None and line.sleep < 0:
        problem = f"sleep is negative: {line.sleep}"
    if problem:
        raise ConfigurationError(problem, where=where, hint="Correct that step.")
    _require_pointers(line, where)


def _require_pointers(line: StepLine, where: str) -> None:
    saves = [each for each in line.save.values() if not is_saved_of_headers(each)]
    pointers = [*line.volatile, *saves, *([line.poll.pointer] if line.poll else [])]
    for pointer in pointers:
        try:
            parse_pointer(pointer)
        except PointerError as error:
            hint = "Write it as RFC 6901 says: /a/0/b. A `save` may also be `cookie NAME` or `header NAME`."
            raise ConfigurationError(str(error), where=where, hint=hint) from error


def _headers(request: RequestLine) -> Headers:
    written = request.headers
    pairs = _pairs(written) if isinstance(written, dict) else tuple(written)
    has_body = request.json is not msgspec.UNSET or request.raw is not None
    if has_body and not any(name.lower() == "content-type" for name, _ in pairs):
        return (*pairs, _JSON)
    return pairs


def _pairs(written: dict[str, str | list[str]]) -> Headers:
    return tuple(
        (name, value) for name, values in written.items() for value in ([values] if isinstance(values, str) else values)
    )


def _body(request: RequestLine) -> str | None:
    if request.json is msgspec.UNSET:
        return request.raw
    text = json.dumps(request.json, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate has no UTF-8 form; its escape says the same to a JSON parser.
    return text if _is_encodable(text) else json.dumps(request.json, separators=(",", ":"))


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _names(written: bool | str | list[str] | None) -> tuple[str, ...]:
    if written is None or written is False:
        return ()
    if written is True:
        return ("*",)
    return (written,) if isinstance(written, str) else tuple(written)


def _poll(line: PollLine | None) -> Poll | None:
    if line is None:
        return None
    values = tuple(line.while_) if isinstance(line.while_, list) else (line.while_,)
    return Poll(pointer=line.pointer, while_values=values, interval_s=line.interval, timeout_s=line.timeout)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _recorded(line: ResponseLine | None) -> RecordedResponse | None:
    if line is None:
        return None
    broke = line.transport_error
    return RecordedResponse(
        status=line.status,
        headers=_pairs(line.headers),
        body=line.body,
        transport_error=None if broke in (None, False) else str(broke),
    )
