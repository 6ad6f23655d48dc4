"""Whether an answer is the one that a recording has.

Placeholders in recorded texts stand for what differs between runs, volatile pointers for values of which only type
and format count, ties for lists whose order among equal sort keys is open.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.domain.exchange import Headers, Response
from harness.domain.formats import has_same_format
from harness.domain.pointer import PointerError, join_pointer, parse_pointer, resolve_pointer
from harness.domain.session import RecordedResponse, Step
from harness.domain.ties import ANY_KEY, is_open_order

KEPT_HEADERS = (
    "content-type",
    "location",
    "allow",
    "vary",
    "www-authenticate",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
)
"""What recordings keep; one of these that a recorded answer does not list was absent."""

_ABSENT = "(absent)"
_Path = tuple[str, ...]
_PLACEHOLDER = re.compile(r"\$(TEXT|BASE|HOSTPORT|APPROOT)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One place where an answer is not the recorded one; values are JSON texts, or say what is absent.

    `pointer` is an RFC 6901 pointer into the body, `status`, or `header <name>`.
    """

    pointer: str
    recorded: str
    answered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What placeholders stand for at the application that answers; `app_root` is None where it is not known."""

    base_url: str
    app_root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """What of a body is volatile, and what placeholders stand for."""

    volatile: frozenset[_Path]
    place: Place


def match_answer(step: Step, response: Response, place: Place) -> tuple[Mismatch, ...]:
    """All mismatches of an answer with `step.recorded`, which is not None, in document order."""
    recorded = step.recorded
    if recorded is None:
        raise ValueError(f"step {step.n} has no recorded answer to match")
    found: list[Mismatch] = []
    if response.status != recorded.status:
        found.append(Mismatch(pointer="status", recorded=str(recorded.status), answered=str(response.status)))
    found += _match_headers(step, recorded.headers, response, place)
    found += _match_body(step, recorded, response, place)
    return tuple(found)


def parse_body(response: Response) -> Any:
    """The parsed JSON of an answer that says it is JSON, else its text; an empty body is an empty text."""
    text = response.body.decode("utf-8", "replace")
    kinds = response.header_values("content-type")
    if text and any("json" in kind.lower() for kind in kinds):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _match_headers(step: Step, recorded: Headers, response: Response, place: Place) -> Iterable[Mismatch]:
    wanted = {name.lower(): value for name, value in recorded}
    for name in sorted({*KEPT_HEADERS, *wanted}):
        answered = response.header_values(name)
        text = ", ".join(answered) if answered else None
        if not _is_same_header(step, name, wanted.get(name), text, place):
            yield Mismatch(
                pointer=f"header {name}",
                recorded=wanted.get(name, _ABSENT),
                answered=_ABSENT if text is None else text,
            )


def _is_same_header(step: Step, name: str, recorded: str | None, answered: str | None, place: Place) -> bool:
    if recorded is None or answered is None:
        return recorded is answered
    if name in step.volatile_headers:
        return has_same_format(recorded, answered)
    if name == "allow":
        # A set of verbs, printed in hash order.
        return {verb.strip() for verb in recorded.split(",")} == {verb.strip() for verb in answered.split(",")}
    return _is_same_text(recorded, answered, place)


def _is_same_text(recorded: str, answered: str, place: Place) -> bool:
    if recorded == answered:
        return True
    if "$" not in recorded:
        return False
    pattern, end = "", 0
    for match in _PLACEHOLDER.finditer(recorded):
        pattern += re.escape(recorded[end : match.start()]) + _pattern_of(match.group(1), place)
        end = match.end()
    return re.fullmatch(pattern + re.escape(recorded[end:]), answered, re.DOTALL) is not None


def _pattern_of(placeholder: str, place: Place) -> str:
    base = place.base_url.rstrip("/")
    patterns: Mapping[str, str] = {
        "TEXT": ".+",
        "BASE": re.escape(base),
        "HOSTPORT": re.escape(base.split("://", 1)[-1]),
        "APPROOT": r"/\S*" if place.app_root is None else re.escape(place.app_root.rstrip("/")),
    }
    return patterns[placeholder]


class _ElementMatch:
    """Compares list elements wherever in the list they stand; volatile members are given relative to the element."""

    def __init__(self, tails: frozenset[_Path], place: Place) -> None:
        self.volatile_names = frozenset(tail[0] for tail in tails if len(tail) == 1)
        self._tails = tails
        self._place = place

    def is_same(self, recorded: Any, answered: Any) -> bool:
        return not any(_differences(recorded, answered, (), _Rules(volatile=self._tails, place=self._place)))


def _match_body(step: Step, recorded: RecordedResponse, response: Response, place: Place) -> Iterable[Mismatch]:
    volatile = frozenset(parse_pointer(pointer) for pointer in step.volatile)
    answered = parse_body(response)
    body = "" if recorded.body is None and not response.body else recorded.body
    tie = _with_requested_keys(step)
    for path in _list_paths(body, tie) if tie else ():
        answered = _settle_tie(body, answered, path, tie, _Rules(volatile=volatile, place=place))
    return _differences(body, answered, (), _Rules(volatile=volatile, place=place))


def _with_requested_keys(step: Step) -> tuple[str, ...]:
    """An unknown key is among the values that the query names, if any of them is a member of the elements."""
    if step.tie != (ANY_KEY,):
        return step.tie
    return (ANY_KEY, *(value for _, value in parse_qsl(urlsplit(step.url).query) if not value.startswith("/")))


def _settle_tie(recorded: Any, answered: Any, path: _Path, tie: tuple[str, ...], rules: _Rules) -> Any:
    """The answered document with its list at `path` in the recorded order, where ties leave that order open."""
    try:
        left = resolve_pointer(recorded, join_pointer(path))
        right = resolve_pointer(answered, join_pointer(path))
    except PointerError:
        return answered
    inside = len(path) + 1
    tails = frozenset(p[inside:] for p in rules.volatile if p[: len(path)] == path and len(p) > inside)
    if not is_open_order(left, right, tie, _ElementMatch(tails, rules.place)):
        return answered
    # The elements were compared already, so the recorded ones stand for them.
    return _with(answered, path, left)


def _differences(
    recorded: Any,
    answered: Any,
    path: _Path,
    rules: _Rules,
) -> Iterable[Mismatch]:
    if path in rules.volatile:
        if not has_same_format(recorded, answered):
            yield _mismatch(path, recorded, answered)
    elif isinstance(recorded, dict) and isinstance(answered, dict):
        yield from _object_differences(recorded, answered, path, rules)
    elif isinstance(recorded, list) and isinstance(answered, list):
        yield from _list_differences(recorded, answered, path, rules)
    elif not _is_same_scalar(recorded, answered, rules.place):
        yield _mismatch(path, recorded, answered)


def _object_differences(
    recorded: dict[str, Any],
    answered: dict[str, Any],
    path: _Path,
    rules: _Rules,
) -> Iterable[Mismatch]:
    for key, value in recorded.items():
        if key in answered:
            yield from _differences(value, answered[key], (*path, key), rules)
        else:
            yield Mismatch(pointer=join_pointer((*path, key)), recorded=_json_text(value), answered=_ABSENT)
    for key, value in answered.items():
        if key not in recorded:
            yield Mismatch(pointer=join_pointer((*path, key)), recorded=_ABSENT, answered=_json_text(value))


def _list_differences(
    recorded: list[Any],
    answered: list[Any],
    path: _Path,
    rules: _Rules,
) -> Iterable[Mismatch]:
    for index, (left, right) in enumerate(zip(recorded, answered, strict=False)):
        yield from _differences(left, right, (*path, str(index)), rules)
    if len(recorded) != len(answered):
        yield Mismatch(
            pointer=join_pointer(path),
            recorded=f"{len(recorded)} elements",
            answered=f"{len(answered)} elements",
        )


def _is_same_scalar(recorded: Any, answered: Any, place: Place) -> bool:
    if isinstance(recorded, str) and isinstance(answered, str):
        return _is_same_text(recorded, answered, place)
    # 10 and 10.0, or 1 and true, are not the same answer.
    return type(recorded) is type(answered) and bool(recorded == answered)


def _list_paths(body: Any, tie: tuple[str, ...]) -> list[tuple[str, ...]]:
    named = [parse_pointer(name) for name in tie if name.startswith("/")]
    if named:
        return named
    if isinstance(body, list):
        return [()]
    return [(key,) for key, value in body.items() if isinstance(value, list)] if isinstance(body, dict) else []


def _with(document: Any, path: _Path, value: Any) -> Any:
    if not path:
        return value
    if isinstance(document, list):
        index = int(path[0])
        return [*document[:index], _with(document[index], path[1:], value), *document[index + 1 :]]
    return document | {path[0]: _with(document[path[0]], path[1:], value)}


def _mismatch(path: _Path, recorded: Any, answered: Any) -> Mismatch:
    return Mismatch(pointer=join_pointer(path), recorded=_json_text(recorded), answered=_json_text(answered))


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
