"""Which stored values stand for secrets: equal secrets are equal there, and nothing else can be said of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.domain.compare.content import DEFAULT_DECODERS, decode
from harness.domain.compare.document import parse_json
from harness.domain.compare.pointer import Path, to_pointer
from harness.domain.exchange import Response
from harness.domain.normalise import normalise_pointer
from harness.domain.record import SessionRecord
from harness.domain.redaction_marks import MARK

_MARK_BYTES = MARK.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """Answers that hold replaced secrets, and where: `GET /x body /token`, `GET /x header set-cookie`."""

    exchanges: int
    places: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What a reader must know; empty where nothing was replaced."""
        if not self.exchanges:
            return ""
        answers = "1 exchange has" if self.exchanges == 1 else f"{self.exchanges} exchanges have"
        return f"{answers} redacted values, which support equality only: {', '.join(self.places)}"


class RedactedCount:
    """Counts sessions one by one."""

    def __init__(self) -> None:
        self._exchanges = 0
        self._places: Counter[str] = Counter()

    def add(self, record: SessionRecord) -> None:
        """Takes a session in."""
        for step in record.steps:
            responses = (step.pair.legacy.response, step.pair.target.response)
            found = {place for response in responses if response is not None for place in _places(response)}
            self._exchanges += bool(found)
            self._places.update(f"{step.pair.operation} {place}" for place in found)

    def redacted(self) -> Redacted:
        """What was counted so far, places by name."""
        return Redacted(exchanges=self._exchanges, places=tuple(sorted(self._places)))


def _places(response: Response) -> Iterator[str]:
    for name, value in response.headers:
        if MARK in value:
            yield f"header {name.lower()}"
    body = _readable(response)
    if _MARK_BYTES not in body:
        return
    document = parse_json(body)
    pointers = () if document is None else _pointers(document.value)
    found = [f"body {normalise_pointer(pointer)}" for pointer in pointers]
    yield from found or ["body"]


def _readable(response: Response) -> bytes:
    """The body without its encodings; one that begins as JSON does has none."""
    body = response.body
    return body if _MARK_BYTES in body or body[:1] in b'{["' else decode(response, DEFAULT_DECODERS).body


def _pointers(document: Any) -> Iterator[str]:
    stack: list[tuple[Path, Any]] = [((), document)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, str) and MARK in node:
            yield to_pointer(path)
        elif isinstance(node, dict):
            stack += [((*path, name), child) for name, child in node.items()]
        elif isinstance(node, list):
            stack += [((*path, index), child) for index, child in enumerate(node)]
