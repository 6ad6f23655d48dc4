"""Operators on calls: arguments left out or exchanged, validations, defaults and clocks, one function for another."""

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.domain.mutation.mutant import Edit
from harness.domain.mutation.source import SourceFile, arguments, call_name, is_annotated, last_name

_BOUNDS = frozenset({"ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "regex", "multiple_of", "strict"})
_DEFAULTS = frozenset({"default", "server_default", "onupdate"})
_ROUTE_PARTS = frozenset({"dependencies", "response_model", "status_code", "headers"})
_UNORDERED = frozenset({"order_by", "where", "filter", "limit", "offset", "select", "cast", "max", "min"})
_OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "reversed": "list"}
_OTHER_METHOD = {"upper": "lower", "lower": "upper", "startswith": "endswith", "endswith": "startswith"}
_DROPPED_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "upper", "lower", "replace", "isoformat", "encode", "casefold"}
)
_OTHER_ZONE = '__import__("datetime").timezone(__import__("datetime").timedelta(hours=10))'
_MIN_PAIR = 2


def skip_bound(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A bound of a field is not checked; a validator in an annotation is not run."""
    if isinstance(node, ast.Call):
        given = arguments(node)
        for n, argument in enumerate(given):
            if isinstance(argument, ast.keyword) and argument.arg in _BOUNDS:
                yield file.without("skip_bound", given, n)
    elif isinstance(node, ast.Subscript) and is_annotated(node) and isinstance(node.slice, ast.Tuple):
        elements = node.slice.elts
        for n in range(1, len(elements)):
            if len(elements) > _MIN_PAIR:
                yield file.without("skip_validation", elements, n)
            else:
                yield file.replace("skip_validation", node, file.text(elements[0]))


def drop_argument(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A default or a part of a route's declaration is left out."""
    if not isinstance(node, ast.Call):
        return
    given = arguments(node)
    for n, argument in enumerate(given):
        if not isinstance(argument, ast.keyword):
            continue
        if argument.arg in _DEFAULTS:
            yield file.without("drop_default", given, n)
        elif argument.arg in _ROUTE_PARTS:
            yield file.without("drop_route_part", given, n)


def swap_fields(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """The values of two neighbouring fields, entries or arguments are exchanged."""
    if isinstance(node, ast.Call) and call_name(node) not in _UNORDERED:
        yield from _swap(file, [keyword.value for keyword in node.keywords if keyword.arg])
        if len(node.args) == _MIN_PAIR and not node.keywords:
            yield from _swap(file, node.args)
    elif isinstance(node, ast.Dict) and None not in node.keys:
        yield from _swap(file, node.values)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield from _swap(file, node.value.elts)


def change_clock(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """The clock is read in another zone, or keeps its zone where it should lose it."""
    if not isinstance(node, ast.Call):
        return
    if call_name(node) in ("now", "fromtimestamp"):
        for argument in node.args:
            if last_name(argument) in ("UTC", "utc"):
                yield file.replace("change_zone", argument, _OTHER_ZONE)
    if call_name(node) == "replace" and [keyword.arg for keyword in node.keywords] == ["tzinfo"]:
        yield _receiver_alone("keep_zone", node, file)


def change_function(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """One function is called in place of another; a text or a list is not brought into its form."""
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name) and node.func.id in _OTHER_FUNCTION:
        if node.func.id == "sorted" and node.args:
            yield file.replace("drop_sort", node, f"list({file.text(node.args[0])})")
        else:
            yield file.replace("change_function", node.func, _OTHER_FUNCTION[node.func.id])
    elif isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name in _OTHER_METHOD:
            receiver = file.text(node.func).removesuffix(name)
            yield file.replace("change_function", node.func, receiver + _OTHER_METHOD[name])
        if name in _DROPPED_METHODS and not node.keywords:
            yield _receiver_alone("drop_conversion", node, file)


def _swap(file: SourceFile, values: Sequence[ast.expr]) -> Iterator[Edit]:
    for left, right in pairwise(values):
        one, two = file.text(left), file.text(right)
        if one != two:
            between = file.source[file.end(left) : file.start(right)].decode()
            yield Edit(operator="swap_fields", start=file.start(left), end=file.end(right), text=f"{two}{between}{one}")


def _receiver_alone(operator: str, call: ast.Call, file: SourceFile) -> Edit:
    assert isinstance(call.func, ast.Attribute)  # noqa: S101 - only methods have a receiver
    return file.replace(operator, call, file.text(call.func.value))
