"""The steps of one walk, where values of earlier answers become `save` and `{{name}}`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from schemathesis.core.result import Ok
from schemathesis.engine.recorder import CaseNode
from schemathesis.generation.stateful.state_machine import ExtractedParam
from schemathesis.specs.openapi.expressions import MultiMatch

from harness.domain.description import Place
from harness.domain.exchange import Exchange
from harness.domain.generation import Observed
from harness.domain.grouping import group_of_urls
from harness.domain.linking import Use, find_value, link_step
from harness.domain.plain_json import load_json
from harness.domain.pointer import join_pointer, parse_pointer
from harness.domain.session import GENERATED_TAG, Session, Step
from harness.domain.substitution import find_header_save

_BODY_OF_ANSWER = "$response.body#"
_HEADER_OF_ANSWER = re.compile(r"\{?\$response\.header\.([^#}]+)")
_PLACES = {"path_parameters": Place.PATH, "query": Place.QUERY, "headers": Place.HEADER}
_WILDCARD = "*"
_NO_DOCUMENT = object()


class SessionBuilder:
    """Takes the cases of a walk in the order in which they were sent."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._exchanges: list[Exchange] = []
        self._positions: dict[str, int] = {}
        self._saves: dict[int, dict[str, str]] = {}
        """For each step the pointers saved of its answer, with their names."""
        self._ranks: dict[tuple[int, str], dict[str, str]] = {}

    @property
    def has_steps(self) -> bool:
        """Whether anything was added."""
        return bool(self._steps)

    def add(self, node: CaseNode, step: Step, exchange: Exchange) -> None:
        """Takes one case with its answer."""
        parent = self._positions.get(node.parent_id or "")
        if parent is not None and node.transition is not None:
            uses = dict(self._uses(parent, node, step))
            step, found = link_step(step, node.value.operation.path, tuple(uses))
            for use in found:
                self._saves.setdefault(parent, {})[use.placeholder] = uses[use]
        self._positions[node.value.id] = len(self._steps)
        self._steps.append(replace(step, n=len(self._steps) + 1))
        self._exchanges.append(exchange)

    def finish(self) -> Observed:
        """The session, without a name yet."""
        steps = tuple(
            replace(step, save=tuple(self._saves.get(index, {}).items())) for index, step in enumerate(self._steps)
        )
        group = group_of_urls(step.url for step in steps)
        session = Session(id="", group=group, steps=steps, tags=(GENERATED_TAG,))
        return Observed(session=session, exchanges=tuple((each,) for each in self._exchanges))

    def _uses(self, parent: int, node: CaseNode, step: Step) -> Iterator[tuple[Use, str]]:
        document = _document(self._exchanges[parent])
        for place, path, expression, candidates in _extracted(node):
            used = _used(step, node.value.operation.path, place, path, candidates)
            pointer = None if used is None else self._pointer(parent, document, expression, used)
            if pointer is not None:
                yield Use(place=place, path=path, value=used, placeholder=self._name(parent, pointer)), pointer

    def _pointer(self, parent: int, document: Any, expression: str, used: Any) -> str | None:
        """How the earlier step saves what the expression took of its answer; None where no `save` can."""
        header = _HEADER_OF_ANSWER.match(expression)
        if header is not None:
            answer = self._exchanges[parent].response
            return None if answer is None else find_header_save(header[1], answer.headers, used)
        tokens = _tokens(expression)
        pointer = None if tokens is None or document is _NO_DOCUMENT else find_value(document, tokens, used)
        return None if pointer is None or tokens is None else self._first_free(parent, document, tokens, pointer)

    def _first_free(self, parent: int, document: Any, tokens: tuple[str, ...], pointer: str) -> str:
        """Elements of a list in the order of their use: the first is there wherever any is, the ninth may not be."""
        if _WILDCARD not in tokens:
            return pointer
        at = tokens.index(_WILDCARD)
        found = list(parse_pointer(pointer))
        if not isinstance(_at(document, found[:at]), list):
            return pointer
        ranks = self._ranks.setdefault((parent, join_pointer(tokens)), {})
        found[at] = ranks.setdefault(found[at], str(len(ranks)))
        return join_pointer(found)

    def _name(self, parent: int, pointer: str) -> str:
        words = re.sub(r"\W+", "_", pointer.strip("/"), flags=re.ASCII).strip("_") or "answer"
        name, known = f"step{parent + 1}_{words}", self._saves.get(parent, {})
        while known.get(name, pointer) != pointer:
            name += "_"
        return name


def _used(step: Step, template: str, place: Place, path: tuple[str, ...], candidates: list[Any]) -> Any:
    """The first of the values that the request does carry in that place; None where it carries none of them."""
    for value in candidates:
        if link_step(step, template, (Use(place=place, path=path, value=value, placeholder="x"),))[1]:
            return value
    return None


def _extracted(node: CaseNode) -> Iterator[tuple[Place, tuple[str, ...], str, list[Any]]]:
    """What a link took from the answer: place, name, expression, and the values that it could have taken."""
    transition = node.transition
    if transition is None:
        return
    for container, parameters in transition.parameters.items():
        place = _PLACES.get(container)
        for name, parameter in parameters.items():
            if place is not None:
                yield place, (name,), str(parameter.definition), _candidates(parameter)
    body = transition.request_body
    if body is not None and isinstance(body.value, Ok):
        yield from _body_members(body.definition, body.value.ok(), ())


def _body_members(
    definition: Any, value: Any, at: tuple[str, ...]
) -> Iterator[tuple[Place, tuple[str, ...], str, list[Any]]]:
    if isinstance(definition, Mapping) and isinstance(value, Mapping):
        for name, inner in definition.items():
            if name in value:
                yield from _body_members(inner, value[name], (*at, name))
    elif isinstance(definition, str) and at:
        yield Place.BODY, at, definition, _choices(value)


def _candidates(parameter: ExtractedParam) -> list[Any]:
    return _choices(parameter.value.ok()) if isinstance(parameter.value, Ok) else []


def _choices(value: Any) -> list[Any]:
    values = value.values if isinstance(value, MultiMatch) else [value]
    return [each for each in values if isinstance(each, str | int | float) and each != ""]


def _tokens(expression: str) -> tuple[str, ...] | None:
    """The pointer of an expression that reads the body of an answer; None for any other."""
    if not expression.startswith(_BODY_OF_ANSWER):
        return None
    pointer = expression.removeprefix(_BODY_OF_ANSWER)
    return parse_pointer(pointer) if pointer.startswith("/") else None


def _at(document: Any, tokens: list[str]) -> Any:
    for token in tokens:
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def _document(exchange: Exchange) -> Any:
    if exchange.response is None:
        return _NO_DOCUMENT
    try:
        return load_json(exchange.response.body)
    except ValueError:
        return _NO_DOCUMENT
