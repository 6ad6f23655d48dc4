"""Patterns for answers and requests, as waivers write them: literal JSON with placeholders."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from harness.domain.compare.document import fingerprint
from harness.domain.compare.number import is_number
from harness.domain.compare.pointer import ABSENT

_REGEX = "re:"
_REST = "$REST"
_TYPES: dict[str, Callable[[Any], bool]] = {
    "$TEXT": lambda value: isinstance(value, str) and value != "",
    "$STRING": lambda value: isinstance(value, str),
    "$NUMBER": is_number,
    "$INTEGER": lambda value: type(value) is int,
    "$BOOLEAN": lambda value: isinstance(value, bool),
    "$NULL": lambda value: value is None,
    "$OBJECT": lambda value: isinstance(value, dict),
    "$LIST": lambda value: isinstance(value, list),
    "$ANY": lambda value: value is not ABSENT,
    "$ABSENT": lambda value: value is ABSENT,
    "$EMPTY": lambda value: value is ABSENT,
}


def find_pattern_error(pattern: Any) -> str:
    """Why a pattern cannot be used; empty where it can."""
    if isinstance(pattern, dict):
        return next((error for value in pattern.values() if (error := find_pattern_error(value))), "")
    if isinstance(pattern, list):
        return next((error for value in pattern if (error := find_pattern_error(value))), "")
    if isinstance(pattern, str) and pattern.startswith(_REGEX):
        try:
            is_broad = re.compile(pattern[len(_REGEX) :]).fullmatch("any \x01 text") is not None
        except re.error as error:
            return f"{pattern!r} is not a regular expression: {error}"
        return f"{pattern!r} matches any text: say what it must be" if is_broad else ""
    is_unknown = isinstance(pattern, str) and re.fullmatch(r"\$[A-Z]+", pattern) and pattern not in {*_TYPES, _REST}
    return f"unknown placeholder {pattern!r} (known: {', '.join(sorted({*_TYPES, _REST}))})" if is_unknown else ""


def is_match(pattern: Any, value: Any, *, is_partial: bool = False) -> bool:
    """Whether a value is what the pattern says.

    Objects have exactly the pattern's members (with `is_partial`, or a member `$REST`, others too) and lists exactly
    its elements (a last element `$REST` allows others). Literals match by JSON equality, so 10 does not match 10.0.
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and _is_object_match(pattern, value, is_partial)
    if isinstance(pattern, list):
        return isinstance(value, list) and _is_list_match(pattern, value, is_partial)
    if isinstance(pattern, str) and pattern.startswith(_REGEX):
        return isinstance(value, str) and re.compile(pattern[len(_REGEX) :], re.S).fullmatch(value) is not None
    if isinstance(pattern, str) and pattern in _TYPES:
        return bool(_TYPES[pattern](value))
    return value is not ABSENT and fingerprint(pattern) == fingerprint(value)


def is_everything(pattern: Any) -> bool:
    """Whether the pattern says nothing about a value that is there."""
    return pattern in ("$ANY", "$OBJECT", "$LIST", "$STRING", {_REST: "$ANY"}, [_REST])


def leaves_open(pattern: Any, path: Sequence[str]) -> bool:
    """Whether what is at the path, if anything, is left to a member `$REST`."""
    for token in path:
        if isinstance(pattern, dict) and token not in pattern:
            return _REST in pattern
        if isinstance(pattern, list) and not (token.isdigit() and int(token) < len(pattern)):
            return False
        if not isinstance(pattern, dict | list):
            return False
        pattern = pattern[token] if isinstance(pattern, dict) else pattern[int(token)]
    return False


def _is_object_match(pattern: dict[str, Any], value: dict[str, Any], is_partial: bool) -> bool:
    expected = {name: member for name, member in pattern.items() if name != _REST}
    if not is_partial and _REST not in pattern and value.keys() - expected.keys():
        return False
    members = ((member, value.get(name, ABSENT)) for name, member in expected.items())
    return all(is_match(member, found, is_partial=is_partial) for member, found in members)


def _is_list_match(pattern: list[Any], value: list[Any], is_partial: bool) -> bool:
    is_open = bool(pattern) and pattern[-1] == _REST
    expected = pattern[:-1] if is_open else pattern
    if len(value) < len(expected) or (len(value) > len(expected) and not is_open):
        return False
    pairs = zip(expected, value, strict=False)
    return all(is_match(element, found, is_partial=is_partial) for element, found in pairs)
