"""Sessions as files of our own format, which read back as the same sessions."""

import json
from collections.abc import Iterable
from typing import Any

from harness.domain.plain_json import load_json
from harness.domain.session import Session, Step

_JSON = ("content-type", "application/json")


def encode_session_file(session: Session, description: str = "") -> bytes:
    """The file's content; recorded answers are left out, since a session of ours has none."""
    opening: dict[str, Any] = {"format_version": 1, "id": session.id, "group": session.group}
    if description:
        opening["description"] = description
    return _encode(opening | _session(session))


def encode_sessions_file(sessions: Iterable[Session], description: str = "") -> bytes:
    """The content of one file that holds all of these sessions, in their order."""
    opening: dict[str, Any] = {"format_version": 1} | ({"description": description} if description else {})
    entries = [{"id": session.id, "group": session.group} | _session(session) for session in sessions]
    return _encode(opening | {"sessions": entries})


def _encode(document: dict[str, Any]) -> bytes:
    # ASCII, since a step may send a lone surrogate on purpose.
    return (json.dumps(document, indent=2) + "\n").encode()


def _session(session: Session) -> dict[str, Any]:
    tags = {"tags": list(session.tags)} if session.tags else {}
    return tags | {"steps": [step_document(step) for step in session.steps]}


def step_document(step: Step) -> dict[str, Any]:
    """A step as files hold it, without a recorded answer."""
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
        document = load_json(text)
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
