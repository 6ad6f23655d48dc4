"""How like AWS the local cloud is: what both said to the same requests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.domain.exchange import Response
from harness.domain.pointer import PointerError, resolve_pointer

_MAX_BODY = 200
_ABSENT = "(absent)"
ONLY_LOCAL = "This certificate compares two local clouds; it says nothing of AWS."


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One part of one answer, on both sides, as JSON text."""

    name: str
    shows: str
    local: str
    remote: str

    @property
    def is_same(self) -> bool:
        """True where both sides said exactly the same."""
        return self.local == self.remote


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What was found on a day; `remote_url` is None where the other side was a second local cloud."""

    environment: str
    remote_url: str | None
    made_at: datetime
    commit: str
    notes: tuple[str, ...]
    behaviours: tuple[Behaviour, ...]
    format_version: int = 1

    @property
    def statement(self) -> str:
        """What may be concluded, in a sentence."""
        same = sum(behaviour.is_same for behaviour in self.behaviours)
        counted = f"{same} of {len(self.behaviours)} behaviours are the same."
        return f"{ONLY_LOCAL} {counted}" if self.remote_url is None else counted

    def as_json(self) -> dict[str, object]:
        """The document, with the conclusion in it."""
        return {
            "format_version": self.format_version,
            "environment": self.environment,
            "remote_url": self.remote_url,
            "made_at": self.made_at.isoformat(),
            "commit": self.commit,
            "statement": self.statement,
            "notes": list(self.notes),
            "behaviours": [
                {"name": found.name, "shows": found.shows, "local": found.local, "remote": found.remote,
                 "is_same": found.is_same}
                for found in self.behaviours
            ],
        }  # fmt: skip

    def as_markdown(self) -> str:
        """The same for people, what differs first."""
        lines = [
            f"# Fidelity of the local cloud: {self.environment}",
            "",
            f"**{self.statement}**",
            "",
            f"Made at {self.made_at:%Y-%m-%d %H:%M} UTC, commit {self.commit[:12] or 'none'}, "
            f"against {self.remote_url or 'a second local cloud'}.",
            *(f"Note: {note}." for note in self.notes),
            "",
            "| behaviour | shows | local | remote | |",
            "| --- | --- | --- | --- | --- |",
        ]
        ordered = sorted(self.behaviours, key=lambda found: found.is_same)
        return "\n".join([*lines, *(_row(found) for found in ordered)]) + "\n"


def read_parts(shows: Sequence[str], response: Response | None) -> tuple[str, ...]:
    """The named parts of an answer as JSON text; an answer that never came is said to be absent."""
    if response is None:
        return tuple("(no answer)" for _ in shows)
    return tuple(_read(part, response) for part in shows)


def _read(part: str, response: Response) -> str:
    kind, _, argument = part.partition(" ")
    if kind == "status":
        return str(response.status)
    if kind == "header":
        return _text(list(response.header_values(argument)))
    if kind == "body":
        return _text(response.body[:_MAX_BODY].decode("utf-8", "replace"))
    try:
        found: Any = resolve_pointer(json.loads(response.body), argument)
    except (ValueError, PointerError):
        return _ABSENT
    return _text(sorted(found) if kind == "keys" and isinstance(found, dict) else found)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _row(found: Behaviour) -> str:
    cells = (
        found.name,
        found.shows,
        _code(found.local),
        _code(found.remote),
        "same" if found.is_same else "**differs**",
    )
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return "`" + text.replace("|", "│").replace("`", "´") + "`"
