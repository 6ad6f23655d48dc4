"""Session records as JSON Lines and back: the format of `exchanges.jsonl.gz`.

A session is a `session` line, an `exchange` line for every step of both passes, and an `end` line that counts them.
"""

import base64
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from harness.adapters.cell_codec import StoredCell, decode_row, encode_row, storable_text
from harness.domain.difference import Difference
from harness.domain.errors import EvidenceError
from harness.domain.exchange import Exchange, ExchangePair, Headers, Request, Response, Side
from harness.domain.grouping import group_of_step
from harness.domain.record import Origin, RowChange, SessionRecord, StepRecord
from harness.domain.rows import TableSchema

FORMAT_VERSION = 1
_HINT = "The file was changed or damaged: replay again into a new directory."


class _Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Absent means default."""


class _Message(_Line, frozen=True, omit_defaults=True, kw_only=True):
    headers: Headers = ()
    body: str | None = None
    body_base64: str | None = None
    """Set in place of `body` where that is not UTF-8 text."""


class _RequestLine(_Message, frozen=True, omit_defaults=True, kw_only=True):
    method: str
    url: str


class _ResponseLine(_Message, frozen=True, omit_defaults=True, kw_only=True):
    status: int
    is_truncated: bool = False


class _SideLine(_Line, frozen=True, omit_defaults=True, kw_only=True):
    base_url: str
    sent_at: datetime
    duration_ms: float
    request: _RequestLine
    response: _ResponseLine | None = None
    transport_error: str | None = None


class _ChangeLine(_Line, frozen=True, omit_defaults=True, kw_only=True):
    table: str
    key: list[StoredCell]
    before: list[StoredCell] | None = None
    after: list[StoredCell] | None = None


class SessionLine(_Line, frozen=True, omit_defaults=True, kw_only=True, tag="session", tag_field="kind"):
    """Opens a session."""

    format_version: int
    session_id: str
    group: str
    origin: Origin
    compares_state: bool
    sources: tuple[str, ...] = ()
    initial_differences: tuple[Difference, ...] = ()
    legacy_schemas: dict[str, TableSchema] = {}
    target_schemas: dict[str, TableSchema] = {}


class ExchangeLine(_Line, frozen=True, omit_defaults=True, kw_only=True, tag="exchange", tag_field="kind"):
    """One step in one pass (1, or 2 for the repetition), both sides."""

    session_id: str
    step: int
    name: str
    operation: str
    in_pass: int = msgspec.field(name="pass", default=1)
    legacy: _SideLine
    target: _SideLine
    volatile: tuple[str, ...] = ()
    volatile_headers: tuple[str, ...] = ()
    tie: tuple[str, ...] = ()
    polled: bool = False
    legacy_changes: list[_ChangeLine] = []
    target_changes: list[_ChangeLine] = []
    sent_differently: tuple[str, ...] = ()


class EndLine(_Line, frozen=True, omit_defaults=True, kw_only=True, tag="end", tag_field="kind"):
    """Closes a session; the counts prove that no line is missing."""

    session_id: str
    steps: int
    repeat: int


Line = SessionLine | ExchangeLine | EndLine
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode_session(record: SessionRecord) -> bytes:
    """The session's lines, each ended by a newline."""
    opening = SessionLine(
        format_version=FORMAT_VERSION,
        session_id=record.session_id,
        group=record.group,
        origin=record.origin,
        compares_state=record.compares_state,
        sources=record.sources,
        initial_differences=record.initial_differences,
        legacy_schemas=dict(record.legacy_schemas),
        target_schemas=dict(record.target_schemas),
    )
    lines: list[Line] = [opening]
    lines += [_encode_step(step, 1) for step in record.steps]
    lines += [_encode_step(step, 2) for step in record.repeat]
    lines.append(EndLine(session_id=record.session_id, steps=len(record.steps), repeat=len(record.repeat)))
    return _encoder.encode_lines(lines)


def decode_sessions(lines: Iterable[bytes], where: str) -> Iterator[SessionRecord]:
    """The sessions of these lines, in order.

    Raises:
        EvidenceError: a line is not of this format, or a session lacks lines.
    """
    opening: SessionLine | None = None
    exchanges: list[ExchangeLine] = []
    for number, raw in enumerate(lines, start=1):
        line = _decode_line(raw, f"{where} line {number}")
        if isinstance(line, SessionLine):
            _require(opening is None, "a session starts within another", where, number)
            opening, exchanges = line, []
            continue
        _require(
            opening is not None and line.session_id == opening.session_id,
            "a line belongs to no session",
            where,
            number,
        )
        if isinstance(line, ExchangeLine):
            exchanges.append(line)
        elif opening is not None:
            record = _record(opening, exchanges)
            counts = (len(record.steps), len(record.repeat))
            _require(counts == (line.steps, line.repeat), "exchanges of a session are missing", where, number)
            yield record
            opening = None
    _require(opening is None, "the last session is not complete", where, 0)


def _decode_line(raw: bytes, where: str) -> Line:
    try:
        line = _decoder.decode(raw)
    except (msgspec.DecodeError, ValueError) as error:
        raise EvidenceError(f"not a stored exchange: {error}", where=where, hint=_HINT) from error
    if isinstance(line, SessionLine) and line.format_version != FORMAT_VERSION:
        hint = f"This version reads format {FORMAT_VERSION}: replay again into a new directory."
        raise EvidenceError(f"stored in format {line.format_version}", where=where, hint=hint)
    return line


def _require(holds: bool, what: str, where: str, number: int) -> None:
    if not holds:
        raise EvidenceError(what, where=f"{where} line {number}" if number else where, hint=_HINT)


def _record(opening: SessionLine, exchanges: list[ExchangeLine]) -> SessionRecord:
    return SessionRecord(
        session_id=opening.session_id,
        group=opening.group,
        origin=opening.origin,
        legacy_schemas=opening.legacy_schemas,
        target_schemas=opening.target_schemas,
        steps=tuple(_decode_step(line, opening.group) for line in exchanges if line.in_pass == 1),
        repeat=tuple(_decode_step(line, opening.group) for line in exchanges if line.in_pass == 2),
        initial_differences=opening.initial_differences,
        compares_state=opening.compares_state,
        sources=opening.sources,
    )


def _encode_step(step: StepRecord, in_pass: int) -> ExchangeLine:
    pair = step.pair
    return ExchangeLine(
        session_id=pair.session_id,
        step=pair.step,
        name=storable_text(pair.name),
        operation=storable_text(pair.operation),
        in_pass=in_pass,
        legacy=_encode_exchange(pair.legacy),
        target=_encode_exchange(pair.target),
        volatile=pair.volatile,
        volatile_headers=pair.volatile_headers,
        tie=pair.tie,
        polled=pair.polled,
        legacy_changes=_encode_changes(step.legacy_changes),
        target_changes=_encode_changes(step.target_changes),
        sent_differently=tuple(storable_text(text) for text in step.sent_differently),
    )


def _decode_step(line: ExchangeLine, group: str) -> StepRecord:
    pair = ExchangePair(
        session_id=line.session_id,
        group=group_of_step(group, line.legacy.request.url),
        step=line.step,
        name=line.name,
        operation=line.operation,
        legacy=_decode_exchange(line.legacy, Side.LEGACY),
        target=_decode_exchange(line.target, Side.TARGET),
        volatile=line.volatile,
        volatile_headers=line.volatile_headers,
        tie=line.tie,
        polled=line.polled,
    )
    return StepRecord(
        pair=pair,
        legacy_changes=_decode_changes(line.legacy_changes),
        target_changes=_decode_changes(line.target_changes),
        sent_differently=line.sent_differently,
    )


def _encode_exchange(exchange: Exchange) -> _SideLine:
    request, response = exchange.request, exchange.response
    text, encoded = _encode_body(request.body)
    return _SideLine(
        base_url=exchange.base_url,
        sent_at=exchange.sent_at,
        duration_ms=round(exchange.duration_ms, 3),
        request=_RequestLine(
            method=request.method,
            url=storable_text(request.url),
            headers=_encode_headers(request.headers),
            body=text,
            body_base64=encoded,
        ),
        response=None if response is None else _encode_response(response),
        transport_error=exchange.transport_error,
    )


def _encode_response(response: Response) -> _ResponseLine:
    text, encoded = _encode_body(response.body)
    return _ResponseLine(
        status=response.status,
        headers=_encode_headers(response.headers),
        body=text,
        body_base64=encoded,
        is_truncated=response.is_truncated,
    )


def _decode_exchange(line: _SideLine, side: Side) -> Exchange:
    request, response = line.request, line.response
    return Exchange(
        side=side,
        base_url=line.base_url,
        request=Request(method=request.method, url=request.url, headers=request.headers, body=_decode_body(request)),
        response=None
        if response is None
        else Response(
            status=response.status,
            headers=response.headers,
            body=_decode_body(response) or b"",
            is_truncated=response.is_truncated,
        ),
        transport_error=line.transport_error,
        sent_at=line.sent_at,
        duration_ms=line.duration_ms,
    )


def _encode_headers(headers: Headers) -> Headers:
    for name, value in headers:
        if not (name.isascii() and value.isascii()):
            return tuple((storable_text(name), storable_text(value)) for name, value in headers)
    return headers


def _encode_body(body: bytes | None) -> tuple[str | None, str | None]:
    if body is None:
        return None, None
    try:
        return body.decode("utf-8"), None
    except UnicodeDecodeError:
        return None, base64.b64encode(body).decode("ascii")


def _decode_body(message: _Message) -> bytes | None:
    if message.body_base64 is not None:
        return base64.b64decode(message.body_base64)
    return None if message.body is None else message.body.encode("utf-8")


def _encode_changes(changes: Iterable[RowChange]) -> list[_ChangeLine]:
    return [
        _ChangeLine(
            table=change.table,
            key=encode_row(change.key),
            before=None if change.before is None else encode_row(change.before),
            after=None if change.after is None else encode_row(change.after),
        )
        for change in changes
    ]


def _decode_changes(lines: Iterable[_ChangeLine]) -> tuple[RowChange, ...]:
    return tuple(
        RowChange(
            table=line.table,
            key=decode_row(line.key),
            before=None if line.before is None else decode_row(line.before),
            after=None if line.after is None else decode_row(line.after),
        )
        for line in lines
    )
