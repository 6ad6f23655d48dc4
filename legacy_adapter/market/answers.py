"""An answer of the server, before anything goes wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, body and the headers beyond the usual."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


class Refused(Exception):
    """The request gets this answer instead of prices."""

    def __init__(self, status: int, document: object) -> None:
        self.answer = json_answer(document, status=status)
        super().__init__(f"status {status}")


def json_answer(document: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """The document as JSON; NaN becomes null, as Yahoo writes days that it knows nothing of."""
    return Answer(status=status, body=orjson.dumps(document), headers=tuple((headers or {}).items()))
