"""A difference between two JSON documents as an RFC 6902 patch that turns the legacy's into the target's.

Source: RFC 6902 (JSON Patch), RFC 6901 (JSON Pointer).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from harness.domain.compare.document import Document, fingerprint
from harness.domain.compare.number import Number
from harness.domain.compare.pointer import ABSENT, Path, to_pointer

_MAX_ALIGNED_PAIRS = 4_000_000
"""Longer middles of two lists are replaced element by element instead of aligned."""


class UnpatchableError(ValueError):
    """A document says what no patch can say: a member named twice, or a token that is no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchOperation:
    """One operation: `value` is absent for `remove`."""

    op: str
    path: str
    value: Any = ABSENT


def export_patch(legacy: Document, target: Document) -> tuple[PatchOperation, ...]:
    """The operations that turn the legacy's value into the target's; none exactly where the values are equal.

    10 and 10.0 are two values here. Encodings are no part of a document: they are compared apart from it.

    Raises:
        UnpatchableError: a document names a member twice, or holds NaN or an infinity.
    """
    for side, document in (("legacy", legacy), ("target", target)):
        if document.duplicates:
            raise UnpatchableError(f"the {side}'s {min(document.duplicates)} is there twice")
        if not _is_json(document.value):
            raise UnpatchableError(f"the {side} holds a number that JSON has not (NaN, Infinity)")
    return tuple(_patch_value((), legacy.value, target.value))


def patch_text(operations: Sequence[PatchOperation]) -> str:
    """The patch as a JSON document of ASCII text, an operation a line; numbers as they were written."""
    lines = []
    for operation in operations:
        members = f'"op":"{operation.op}","path":{json.dumps(operation.path)}'
        value = "" if operation.value is ABSENT else f',"value":{_json_text(operation.value)}'
        lines.append(f"{{{members}{value}}}")
    return "[" + ",\n ".join(lines) + "]"


def _patch_value(path: Path, mine: Any, theirs: Any) -> Iterator[PatchOperation]:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        yield from _patch_object(path, mine, theirs)
    elif isinstance(mine, list) and isinstance(theirs, list):
        yield from _patch_list(path, mine, theirs)
    elif fingerprint(mine) != fingerprint(theirs):
        yield PatchOperation(op="replace", path=to_pointer(path), value=theirs)


def _patch_object(path: Path, mine: dict[str, Any], theirs: dict[str, Any]) -> Iterator[PatchOperation]:
    for name, value in mine.items():
        if name not in theirs:
            yield PatchOperation(op="remove", path=to_pointer((*path, name)))
        else:
            yield from _patch_value((*path, name), value, theirs[name])
    for name, value in theirs.items():
        if name not in mine:
            yield PatchOperation(op="add", path=to_pointer((*path, name)), value=value)


def _patch_list(path: Path, mine: list[Any], theirs: list[Any]) -> Iterator[PatchOperation]:
    # Left to right: whatever lies to the left of the target's index is the target's already.
    for start, end, into, until in _changed_blocks(mine, theirs):
        paired = min(end - start, until - into)
        for offset in range(paired):
            yield from _patch_value((*path, into + offset), mine[start + offset], theirs[into + offset])
        at = into + paired
        for _ in range(end - start - paired):
            yield PatchOperation(op="remove", path=to_pointer((*path, at)))
        for index in range(at, until):
            yield PatchOperation(op="add", path=to_pointer((*path, index)), value=theirs[index])


def _changed_blocks(mine: list[Any], theirs: list[Any]) -> Iterator[tuple[int, int, int, int]]:
    first, second = [fingerprint(value) for value in mine], [fingerprint(value) for value in theirs]
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    end, until = len(first), len(second)
    while min(end, until) > start and first[end - 1] == second[until - 1]:
        end, until = end - 1, until - 1
    if (end - start) * (until - start) > _MAX_ALIGNED_PAIRS:
        yield start, end, start, until
        return
    matcher = SequenceMatcher(None, first[start:end], second[start:until], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield start + a, start + b, start + c, start + d


def _is_json(value: Any) -> bool:
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, Number) and not node.text.lstrip("-")[:1].isdigit():
            return False
        stack += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return True


def _json_text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_json_text(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json_text, value)) + "]"
    return value.text if isinstance(value, Number) else json.dumps(value)
