"""Values that each side gave out itself, in a session that is sent to both: cookies, tokens and ids."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from harness.domain.capture.references import References, values_of_answer
from harness.domain.capture.steps import learn_answer
from harness.domain.compare.content import DEFAULT_DECODERS, decode
from harness.domain.exchange import Exchange, Request
from harness.domain.plain_json import load_json
from harness.domain.session import Step
from harness.domain.substitution import fill_request, placeholders

_MAX_VALUES = 50_000
"""A session, as of those that references hold."""


class OwnValues:
    """Of one session, whose exchanges are given in the order in which the legacy answered."""

    def __init__(self) -> None:
        # Nothing is written of these: a mark that no text has stands for none.
        self._references = References(lambda text: f"\0{text}")
        self._own: dict[tuple[int, str], str] = {}
        """What the target gave where the legacy gave something else, by step and place of the answer."""
        self._steps = 0

    def refer(self, request: Request, sent_at: datetime) -> tuple[Request, Mapping[str, str]]:
        """The request with `{{name}}` where the client uses what the legacy gave it, and what the target gave there."""
        if not _is_text(request):
            return request, {}
        found, sources = self._references.refer(request, sent_at, lambda each: (each.step, each.pointer) in self._own)
        self._references.sent(request)
        return found, {each.name: self._own[each.step, each.pointer] for each in sources}

    def learn(self, legacy: Exchange, target: Exchange) -> None:
        """Takes in what both sides answered to a request."""
        self._steps += 1
        if legacy.response is None or target.response is None or len(self._own) > _MAX_VALUES:
            return
        learn_answer(legacy, self._steps, decode(legacy.response, DEFAULT_DECODERS), self._references)
        theirs = dict(_values(target))
        for place, text in _values(legacy):
            if theirs.get(place, text) != text:
                self._own[self._steps, place] = theirs[place]


def filled(request: Request, values: Mapping[str, str]) -> Request:
    """The request with the target's values in it."""
    if not values:
        return request
    body = None if request.body is None else request.body.decode("utf-8", "surrogatepass")
    step = Step(n=0, name="", method=request.method, url=request.url, headers=request.headers, body=body)
    return fill_request(step, values)


def _values(exchange: Exchange) -> Iterator[tuple[str, str]]:
    if exchange.response is not None:
        yield from values_of_answer(_document(exchange), exchange.response.headers)


def _document(exchange: Exchange) -> Any:
    try:
        return None if exchange.response is None else load_json(decode(exchange.response, DEFAULT_DECODERS).body)
    except ValueError:
        return None


def _is_text(request: Request) -> bool:
    """False for what cannot be filled in: a body that is no text, or one with braces of its own."""
    try:
        body = (request.body or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(placeholders(text) for text in (request.url, body, *(value for _, value in request.headers)))
