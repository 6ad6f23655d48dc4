"""A run's exchanges as a HAR file, a session a page, for tools that read that format."""

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from harness.domain.errors import unwritable
from harness.domain.exchange import Exchange, Headers, Side
from harness.domain.record import SessionRecord

_UNKNOWN = -1
"""The format's own word for a size or a time that nobody measured."""


def write_har(records: Iterable[SessionRecord], path: Path, side: Side, *, version: str) -> int:
    """Writes the first pass of every session, one side of it; returns the number of entries.

    Guarantees: memory does not grow with the run; the file appears complete or not at all. What the run's store
    redacted stays redacted. An exchange without an answer has status 0 and says why in `_error`.

    Raises:
        ConfigurationError: the file cannot be written.

    Source: HTTP Archive 1.2.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        count = _write(records, draft, side, version)
        draft.replace(path)
    except OSError as error:
        hint = "Give a file in a directory that can be written to."
        raise unwritable(error, where=str(path), hint=hint) from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def _write(records: Iterable[SessionRecord], draft: Path, side: Side, version: str) -> int:
    count = 0
    with draft.open("w", encoding="utf-8") as file, tempfile.TemporaryFile("w+", encoding="utf-8") as pages:
        creator = {"name": "parakeet", "version": version}
        file.write(f'{{"log": {{"version": "1.2", "creator": {json.dumps(creator)}, "entries": [')
        for record in records:
            for entry in _entries(record, side):
                file.write(("," if count else "") + "\n" + json.dumps(entry))
                count += 1
            for page in _page(record, side):
                pages.write(("," if pages.tell() else "") + "\n" + json.dumps(page))
        file.write('\n], "pages": [')
        pages.seek(0)
        shutil.copyfileobj(pages, file)
        file.write("\n]}}\n")
        file.flush()
        os.fsync(file.fileno())
    return count


def _page(record: SessionRecord, side: Side) -> Iterator[dict[str, Any]]:
    for step in record.steps[:1]:
        first = step.pair.legacy if side is Side.LEGACY else step.pair.target
        started = {"startedDateTime": first.sent_at.isoformat(), "pageTimings": {}}
        yield {"id": record.session_id, "title": record.group, **started}


def _entries(record: SessionRecord, side: Side) -> Iterator[dict[str, Any]]:
    for step in record.steps:
        exchange = step.pair.legacy if side is Side.LEGACY else step.pair.target
        if exchange.base_url:  # a request that was never sent is no traffic
            yield _entry(exchange, record.session_id)


def _entry(exchange: Exchange, page: str) -> dict[str, Any]:
    entry = {
        "pageref": page,
        "startedDateTime": exchange.sent_at.isoformat(),
        "time": exchange.duration_ms,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": exchange.duration_ms, "receive": 0},
    }
    return entry | ({"_error": exchange.transport_error} if exchange.transport_error else {})


def _request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    query = request.url.partition("?")[2]
    message: dict[str, Any] = {
        "method": request.method,
        "url": exchange.base_url + request.url,
        "queryString": [
            {"name": name, "value": value} for name, value in parse_qsl(query, keep_blank_values=True, errors="replace")
        ],
        **_common(request.headers, len(request.body or b"")),
    }
    if request.body is not None:
        message["postData"] = {"mimeType": _content_type(request.headers), **_text(request.body)}
    return message


def _response(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    if response is None:
        content: dict[str, Any] = {"size": 0, "mimeType": ""}
        return {"status": 0, "statusText": "", "redirectURL": "", "content": content, **_common((), _UNKNOWN)}
    content = {"size": len(response.body), "mimeType": _content_type(response.headers), **_text(response.body)}
    return {
        "status": response.status,
        "statusText": HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else "",
        "redirectURL": next(iter(response.header_values("location")), ""),
        "content": content,
        **_common(response.headers, len(response.body)),
    }


def _common(headers: Headers, body_size: int) -> dict[str, Any]:
    return {
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in headers],
        "headersSize": _UNKNOWN,
        "bodySize": body_size,
    }


def _content_type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}
