"""A session as a file of our own format, which reads back as the same session."""

import json
from typing import Any

from harness.domain.session import Session, Step

_JSON = ("content-type", "application/json")


def encode_session_file(session: Session, description: str = "") -> bytes:
    """The file's content; recorded answers are left out, since a session of ours has none."""
    document: dict[str, Any] = {"format_version": 1, "id": session.id, "group": session.group}
    if description:
        document["description"] = description
    if session.tags:
        document["tags"] = list(session.tags)
    document["steps"] = [_step(step) for step in session.steps]
    # ASCII, since a step may send a lone surrogate on purpose.
    return (json.dumps(document, indent=2) + "\n").encode()


def _step(step: Step) -> dict[str, Any]:
    written: dict[str, Any] = {"name": step.name, "request": _request(step)}
    optional = {
        "save": dict(step.save),
        "volatile": list(step.volatile),
        "volatile_headers": list(step.volatile_headers),
        "tie": list(step.tie),
        "reused": list(step.reused),
        "poll": _poll(step),
        "sleep": step.sleep_s,
        "network": step.network,
    }
    return written | {name: value for name, value in optional.items() if value}


def _request(step: Step) -> dict[str, Any]:
    written: dict[str, Any] = {"method": step.method, "url": step.url}
    headers = step.headers
    if step.body is not None:
        written |= _body(step.body)
        headers = headers[:-1] if headers[-1:] == (_JSON,) else headers
    if headers:
        written["headers"] = [list(pair) for pair in headers]
    return written | ({"auth": step.auth} if step.auth else {})


def _body(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {"raw": text}
    is_compact = json.dumps(document, ensure_ascii=False, separators=(",", ":")) == text
    return {"json": document} if is_compact else {"raw": text}


def _poll(step: Step) -> dict[str, Any] | None:
    if step.poll is None:
        return None
    poll = step.poll
    return {
        "pointer": poll.pointer,
        "while": list(poll.while_values),
        "interval": poll.interval_s,
        "timeout": poll.timeout_s,
    }
