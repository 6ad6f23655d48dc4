"""Values of one answer that a later request was made of, written as `{{name}}` into that request."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, unquote_plus

from harness.domain.description import Place
from harness.domain.plain_json import load_json
from harness.domain.pointer import join_pointer
from harness.domain.request_target import literal_pattern
from harness.domain.session import Step
from harness.domain.substitution import value_text

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_WILDCARD = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A value that a request carries and that an earlier answer gave.

    `path` is the parameter's name, or the members that lead to it in a JSON body.
    """

    place: Place
    path: tuple[str, ...]
    value: Any
    placeholder: str


def find_value(document: Any, tokens: Sequence[str], value: Any) -> str | None:
    """The pointer of the first place that the tokens match and that has this value; `*` matches any element.

    Values are equal if their texts are: a path carries a number as text.
    """
    wanted = value_text(value)
    for pointer, found in _matches(document, tokens, ()):
        if value_text(found) == wanted:
            return join_pointer(pointer)
    return None


def _matches(node: Any, tokens: Sequence[str], at: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], Any]]:
    if not tokens:
        yield at, node
        return
    token, rest = tokens[0], tokens[1:]
    if isinstance(node, list):
        for index, each in enumerate(node):
            if token in {_WILDCARD, str(index)}:
                yield from _matches(each, rest, (*at, str(index)))
    elif isinstance(node, dict):
        for name in node if token == _WILDCARD else (token,):
            if name in node:
                yield from _matches(node[name], rest, (*at, name))


def link_step(step: Step, template: str, uses: Sequence[Use]) -> tuple[Step, tuple[Use, ...]]:
    """The step with each used value replaced by its placeholder, and the uses that were found in it.

    `template` is the path with parameters in braces. A place that has another value is left as it is.
    """
    found = []
    for use in uses:
        if use.place is not Place.BODY:
            linked = _LINKERS[use.place](step, template, use)
            if linked != step:
                step = linked
                found.append(use)
    step, in_body = _link_body(step, [use for use in uses if use.place is Place.BODY])
    return step, (*found, *in_body)


def _braced(use: Use) -> str:
    return f"{{{{{use.placeholder}}}}}"


def _link_path(step: Step, template: str, use: Use) -> Step:
    path, mark, query = step.url.partition("?")
    literals, names = _PARAMETER.split(template)[::2], _PARAMETER.findall(template)
    match = re.fullmatch("([^/]+)".join(map(literal_pattern, literals)), path)
    if match is None or use.path[0] not in names:
        return step
    group = names.index(use.path[0]) + 1
    if unquote(match[group]) != value_text(use.value):
        return step
    return replace(step, url=path[: match.start(group)] + _braced(use) + path[match.end(group) :] + mark + query)


def _link_query(step: Step, _template: str, use: Use) -> Step:
    path, mark, query = step.url.partition("?")
    parts = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        is_it = equals and unquote_plus(name) == use.path[0] and unquote_plus(value) == value_text(use.value)
        parts.append(f"{name}={_braced(use)}" if is_it else part)
    return replace(step, url=path + mark + "&".join(parts))


def _link_header(step: Step, _template: str, use: Use) -> Step:
    name, text = use.path[0].lower(), value_text(use.value)
    headers = tuple(
        (key, _braced(use) if key.lower() == name and value == text else value) for key, value in step.headers
    )
    return replace(step, headers=headers)


def _link_body(step: Step, uses: Sequence[Use]) -> tuple[Step, tuple[Use, ...]]:
    try:
        document = load_json(step.body) if uses and step.body else None
    except ValueError:
        document = None
    found = tuple(use for use in uses if _mark(document, use))
    if not found:
        return step, ()
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    for use in found:
        # A number's placeholder stands without quotes: it is a number again once it is filled in.
        text = text.replace(json.dumps(_marked(use)), _braced(use))
    return replace(step, body=text), found


def _mark(document: Any, use: Use) -> bool:
    *way, last = use.path
    owner = document
    for token in way:
        owner = owner.get(token) if isinstance(owner, dict) else None
    if not isinstance(owner, dict) or last not in owner or value_text(owner[last]) != value_text(use.value):
        return False
    owner[last] = _braced(use) if isinstance(owner[last], str) else _marked(use)
    return True


def _marked(use: Use) -> str:
    return f"\0{_braced(use)}"


_LINKERS = {Place.PATH: _link_path, Place.QUERY: _link_query, Place.HEADER: _link_header}
