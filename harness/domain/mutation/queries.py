"""Operators on statements for the database: as SQLAlchemy expressions, and as text."""

import ast
import re
from collections.abc import Iterator

from harness.domain.mutation.mutant import Edit
from harness.domain.mutation.source import SourceFile, arguments, call_name, last_name

_DROPPED = {
    "order_by": "drop_order_by",
    "where": "drop_where",
    "filter": "drop_where",
    "filter_by": "drop_where",
    "having": "drop_where",
    "distinct": "drop_distinct",
    "limit": "drop_limit",
    "offset": "drop_offset",
    "nulls_first": "drop_nulls_order",
    "nulls_last": "drop_nulls_order",
    "with_for_update": "drop_lock",
}
_OTHER_METHOD = {
    "nulls_first": ("flip_nulls_order", "nulls_last"),
    "nulls_last": ("flip_nulls_order", "nulls_first"),
    "desc": ("flip_sort", "asc"),
    "asc": ("flip_sort", "desc"),
    "is_": ("flip_null_test", "is_not"),
    "is_not": ("flip_null_test", "is_"),
    "in_": ("flip_comparison", "not_in"),
    "not_in": ("flip_comparison", "in_"),
    "like": ("change_like", "ilike"),
    "ilike": ("change_like", "like"),
}
_AGGREGATES = {"sum": "max", "avg": "max", "min": "max", "max": "min", "coalesce": "nullif", "lower": "upper"}
_COUNTED = frozenset({"limit", "offset"})
_TEXT_SWAPS = (
    (r"\s+ORDER BY\s+.+?(?=\s+(?:LIMIT|OFFSET|FOR)\b|\)|$)", "", "drop_order_by"),
    (r"\s+WHERE\s+.+?(?=\s+(?:GROUP|ORDER|LIMIT|RETURNING)\b|\)|$)", "", "drop_where"),
    (r"\bDESC\b", "ASC", "flip_sort"),
    (r"\bASC\b", "DESC", "flip_sort"),
    (r"\bNULLS FIRST\b", "NULLS LAST", "flip_nulls_order"),
    (r"\bNULLS LAST\b", "NULLS FIRST", "flip_nulls_order"),
    (r"\bSUM\(", "MAX(", "change_aggregate"),
    (r"\bAVG\(", "MAX(", "change_aggregate"),
    (r"\bUNION ALL\b", "UNION", "change_union"),
    (r"\bIS NOT NULL\b", "IS NULL", "flip_null_test"),
    (r"\bAND\b", "OR", "swap_boolean"),
    (r">=", ">", "flip_comparison"),
    (r"<=", "<", "flip_comparison"),
    (r"'second'", "'minute'", "change_precision"),
    (r"'utc'", "'Australia/Sydney'", "change_zone"),
)
_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|ORDER BY|date_trunc|CURRENT_TIMESTAMP)\b|\btimezone\(")


def drop_clause(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A clause is left out of a statement, or one of several conditions or sort keys."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _DROPPED:
        return
    name = _DROPPED[node.func.attr]
    yield file.replace(name, node, file.text(node.func.value))
    given = arguments(node)
    if len(given) > 1:
        for n in range(len(given)):
            yield file.without(f"{name}_part", given, n)


def change_clause(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A sort runs the other way, NULLs come at the other end, a page is one longer or starts one later."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    name = node.func.attr
    if name in _OTHER_METHOD:
        operator, other = _OTHER_METHOD[name]
        yield file.replace(operator, node.func, file.text(node.func).removesuffix(name) + other)
    if name in _COUNTED and len(node.args) == 1:
        yield file.replace(f"change_{name}", node.args[0], f"({file.text(node.args[0])}) + 1")
    if name == "between" and len(node.args) > 1:
        yield file.without("drop_bound", node.args, 1)


def change_aggregate(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """`func.sum` becomes `func.max`; a count is one more."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    if last_name(node.func.value) != "func":
        return
    name = node.func.attr
    if name in _AGGREGATES:
        yield file.replace("change_aggregate", node.func, file.text(node.func).removesuffix(name) + _AGGREGATES[name])
    elif name == "count":
        yield file.replace("change_aggregate", node, f"({file.text(node)} + 1)")


def drop_sort_key(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A list of sort keys or conditions loses one of its elements."""
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 1 and any(map(_is_sort_key, node.elts)):
        for n in range(len(node.elts)):
            yield file.without("drop_order_by_part", node.elts, n)


def change_sql_text(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """The same faults in statements that are written as text."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not _SQL.search(node.value):
        return
    written = file.text(node)
    for pattern, new, operator in _TEXT_SWAPS:
        for found in re.finditer(pattern, written.rstrip("\"'"), re.IGNORECASE | re.DOTALL):
            changed = written[: found.start()] + new + written[found.end() :]
            yield file.replace(operator, node, changed)


def _is_sort_key(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _is_sort_key(node.body)
    return call_name(node) in ("asc", "desc", "nulls_first", "nulls_last")
