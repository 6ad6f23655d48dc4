"""Reads a JSON body without losing anything that two systems can differ in."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from harness.domain.compare.number import Number, parse_float, parse_int
from harness.domain.compare.pointer import Path, to_pointer

_WHITESPACE = b" \t\r\n"
_MAX_DEPTH = 250
"""Deeper documents are compared as texts: they are read by fewer and fewer parsers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed body: plain Python values, with `Number` where int and float would lose the text."""

    value: Any
    encoding: str = "utf-8"
    duplicates: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """All values of each member that its object names more than once, by pointer."""


def parse_json(raw: bytes) -> Document | None:
    """The document, or None where the bytes are not JSON (`NaN` and `Infinity` are let through as tokens).

    Guarantees that two documents compare equal only if the texts say the same: big integers, trailing zeros, negative
    zero, repeated members and lone surrogates are kept.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _parse_exactly(raw)
    # Printing it again gives the same text exactly when no number was rounded and no member dropped.
    try:
        printed = orjson.dumps(value)
    except TypeError:  # nested deeper than it prints
        return None
    if printed == raw or printed.translate(None, _WHITESPACE) == raw.translate(None, _WHITESPACE):
        return Document(value=value)
    return _parse_exactly(raw)


def fingerprint(value: Any) -> bytes:
    """Bytes that are equal exactly when two values are the same JSON, whatever the order of members."""
    try:
        return orjson.dumps(value, default=_fragment, option=orjson.OPT_SORT_KEYS)
    except (TypeError, orjson.JSONEncodeError):  # lone surrogates have no UTF-8
        return json.dumps(value, default=_marked, sort_keys=True, separators=(",", ":")).encode()


def to_text(value: Any) -> str:
    """A value as compact JSON text, numbers as they were written."""
    try:
        return orjson.dumps(value, default=_fragment).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(value, default=_marked, separators=(",", ":"))


class _Repeated(dict[str, Any]):
    """An object that named a member more than once; `all_values` keeps what a dict cannot."""

    all_values: dict[str, list[Any]]


def _parse_exactly(raw: bytes) -> Document | None:
    encoding = json.detect_encoding(raw)
    try:
        value = _DECODER.decode(raw.decode(encoding))
    except (ValueError, RecursionError):
        return None
    return None if _is_deep(value) else Document(value=value, encoding=encoding, duplicates=_duplicates(value))


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: Any) -> Iterable[Any]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return (child for child in children if isinstance(child, dict | list))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = _Repeated(members)
    repeated.all_values = {}
    for name, value in pairs:
        repeated.all_values.setdefault(name, []).append(value)
    return repeated


def _duplicates(value: Any) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, _Repeated):
            repeated = {name: values for name, values in node.all_values.items() if len(values) > 1}
            found |= {to_pointer((*path, name)): tuple(values) for name, values in repeated.items()}
        if isinstance(node, dict):
            stack += [((*path, name), child) for name, child in node.items() if isinstance(child, dict | list)]
        elif isinstance(node, list):
            stack += [((*path, i), child) for i, child in enumerate(node) if isinstance(child, dict | list)]
    return found


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.canonical)
    raise TypeError


def _marked(value: Any) -> dict[str, str]:
    if isinstance(value, Number):
        return {"\ud800number": value.canonical}
    raise TypeError


_DECODER = json.JSONDecoder(
    parse_float=parse_float, parse_int=parse_int, parse_constant=Number, object_pairs_hook=_members
)
