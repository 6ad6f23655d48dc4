"""A recorded exchange as a step that can be replayed: without secrets, with references to earlier answers."""

from dataclasses import dataclass
from typing import Any

from harness.domain.capture.references import Origin, References, Source
from harness.domain.capture.relay import end_to_end, without
from harness.domain.compare.content import DEFAULT_DECODERS, Content, decode
from harness.domain.exchange import Exchange, Headers, Request, Response
from harness.domain.plain_json import load_json
from harness.domain.recording import KEPT_HEADERS
from harness.domain.redaction import Redactor
from harness.domain.session import RecordedResponse, Step
from harness.domain.substitution import placeholders

_OWN_OF_THE_CONNECTION = ("host", "content-length", "expect")
_MARK = "[redacted:"


class Unsendable(ValueError):
    """A request that a step cannot carry; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """An exchange as it passed, with the address of the client."""

    exchange: Exchange
    address: str
    is_request_whole: bool = True
    """False where the body was longer than what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """A step with the sources of its references, and the secrets that are left in it or were left out of it."""

    step: Step
    sources: tuple[Source, ...]
    withheld: Headers
    """Headers with credentials that no earlier answer gave, as marks: equal ones are equal."""
    has_secret: bool
    """Whether URL or body still hold the mark of a secret, which nobody can send."""


def recorded_step(captured: Captured, number: int, references: References, redactor: Redactor) -> RecordedStep:
    """The step numbered `number` of its session; what its answer gave is in `references` afterwards.

    Raises:
        Unsendable: its body is not text or was not kept, or it has what would be taken for a reference. Nothing is
            learned from its answer, which no step could save.
    """
    exchange = captured.exchange
    _require_sendable(captured)
    request, withheld, sources = _refer(exchange, references, redactor)
    content = None if exchange.response is None else decode(exchange.response, DEFAULT_DECODERS)
    learn_answer(exchange, number, content, references)
    text = None if request.body is None else request.body.decode("utf-8", "surrogatepass")
    step = Step(
        n=number,
        name=f"{request.method} {redactor.url(exchange.request.url)}",
        method=request.method,
        url=request.url,
        headers=request.headers,
        body=text,
        recorded=_recorded(exchange, content, redactor),
    )
    has_secret = _MARK in request.url or _MARK in (text or "")
    return RecordedStep(step=step, sources=sources, withheld=withheld, has_secret=has_secret)


def _require_sendable(captured: Captured) -> None:
    request = captured.exchange.request
    if not captured.is_request_whole:
        raise Unsendable("its body did not come as a whole, or is longer than what is kept")
    try:
        body = (request.body or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise Unsendable("its body is binary, and steps carry text") from None
    texts = (request.url, body, *(value for _, value in request.headers))
    if any(placeholders(text) for text in texts):
        raise Unsendable("it has text that would be taken for a reference: {{…}}")


def _refer(
    exchange: Exchange, references: References, redactor: Redactor
) -> tuple[Request, Headers, tuple[Source, ...]]:
    request = exchange.request
    kept = without(end_to_end(request.headers), *_OWN_OF_THE_CONNECTION)
    clean = redactor.request(Request(method=request.method, url=request.url, headers=kept, body=request.body or None))
    found, sources = references.refer(clean, exchange.sent_at)
    references.sent(request)
    withheld = tuple((name, value) for name, value in found.headers if _MARK in value)
    sendable = (_sendable(name, value) for name, value in found.headers)
    headers = tuple(header for header in sendable if header is not None)
    request = Request(method=found.method, url=found.url, headers=headers, body=found.body)
    return request, withheld, sources


def _sendable(name: str, value: str) -> tuple[str, str] | None:
    if _MARK not in value:
        return name, value
    known = [pair.strip() for pair in value.split(";") if _MARK not in pair] if name.lower() == "cookie" else []
    return (name, "; ".join(known)) if known else None


def learn_answer(exchange: Exchange, number: int, content: Content | None, references: References) -> None:
    """Has the references know what the answer of this step gave; of one that refuses nothing."""
    if exchange.response is None or content is None or exchange.response.status >= 400:
        return
    origin = Origin(step=number, request=exchange.request, known_at=exchange.received_at)
    references.learn_cookies(origin, exchange.response.headers)
    references.learn_headers(origin, exchange.response.headers)
    document = _document(content)
    if document is not None:
        references.learn(origin, document)


def _document(content: Content) -> Any:
    if content.problem or not content.body:
        return None
    try:
        return load_json(content.body)
    except ValueError:
        return None


def _recorded(exchange: Exchange, content: Content | None, redactor: Redactor) -> RecordedResponse:
    if exchange.response is None or content is None:
        return RecordedResponse(status=0, headers=(), body=None, transport_error=exchange.transport_error)
    kept = tuple((name, value) for name, value in exchange.response.headers if name.lower() in KEPT_HEADERS)
    decoded = Response(status=exchange.response.status, headers=kept, body=content.body)
    clean = redactor.response(decoded)
    return RecordedResponse(status=clean.status, headers=clean.headers, body=_body(clean.body, content))


def _body(body: bytes, content: Content) -> Any:
    """JSON where it is JSON, else its text; None for what is neither, or not whole."""
    if content.problem:
        return None
    try:
        return load_json(body)
    except ValueError:
        pass
    try:
        return body.decode(content.charset)
    except (LookupError, UnicodeDecodeError):
        return None
