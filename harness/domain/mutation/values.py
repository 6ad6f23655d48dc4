"""Operators on values: numbers, texts, formats, arithmetic, rounding."""

import ast
import re
from collections.abc import Iterator

from harness.domain.mutation.mutant import Edit
from harness.domain.mutation.source import SourceFile, call_name, last_name

_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
}
_AUGMENTED = {ast.Add: ("+=", "-="), ast.Sub: ("-=", "+="), ast.BitOr: ("|=", "=")}
_FORMAT_SWAPS = (("%Y%m%d", "%Y%d%m"), ("%d", "%m"), ("%H", "%I"), ("04", "03"), (".2f", ".1f"), (",", ""))
_ROUNDING = {"floor": "ceil", "ceil": "floor", "ROUND_HALF_UP": "ROUND_HALF_EVEN", "ROUND_HALF_EVEN": "ROUND_HALF_UP"}
_NUMBER_TYPES = {"Decimal": "float", "float": "int"}


def change_constant(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A number is one more, a truth the other, a text another text."""
    if not isinstance(node, ast.Constant) or isinstance(file.parents.get(node), ast.JoinedStr | ast.FormattedValue):
        return
    value = node.value
    if isinstance(value, bool):
        yield file.replace("flip_default" if _is_default(node, file) else "flip_truth", node, str(not value))
    elif isinstance(value, int | float):
        text = file.text(node)
        yield file.replace(_number_operator(node, file), node, f"({text} + 1)" if value < 1e15 else f"({text} / 2)")
    elif isinstance(value, str) and value.strip() and not _looks_like_sql(value):
        yield file.replace("change_text", node, _other_text(file.text(node)))


def change_format(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A formatted text has another width, precision or order of its parts."""
    if not isinstance(node, ast.FormattedValue) or not isinstance(node.format_spec, ast.JoinedStr):
        return
    outer = file.parents.get(node)
    spec = "".join(str(part.value) for part in node.format_spec.values if isinstance(part, ast.Constant))
    swap = next(((old, new) for old, new in _FORMAT_SWAPS if old in spec), None)
    if swap is None or not isinstance(outer, ast.JoinedStr):
        return
    start, written = file.start(outer), file.text(outer)
    at = written.find(f":{spec}}}")
    if at >= 0:
        at += 1 + spec.index(swap[0])
        begin = start + len(written[:at].encode())
        yield Edit(operator="change_format", start=begin, end=begin + len(swap[0]), text=swap[1])


def change_arithmetic(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """`+` becomes `-`, `*` becomes `/`, a sign is left out."""
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        old, new = _ARITHMETIC[type(node.op)]
        yield from file.replace_between("change_arithmetic", node.left, node.right, old, new)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _AUGMENTED:
        old, new = _AUGMENTED[type(node.op)]
        yield from file.replace_between("change_arithmetic", node.target, node.value, old, new)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield file.replace("drop_sign", node, file.text(node.operand))


def change_rounding(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """`round(x, 2)` becomes `x`, `floor` becomes `ceil`, a Decimal becomes a float and a float an int."""
    if isinstance(node, ast.Call):
        if call_name(node) == "round" and node.args:
            yield file.replace("change_rounding", node, file.text(node.args[0]))
        if isinstance(node.func, ast.Name) and node.func.id in _NUMBER_TYPES:
            yield file.replace("change_number_type", node.func, _NUMBER_TYPES[node.func.id])
    if isinstance(node, ast.Attribute | ast.Name) and last_name(node) in _ROUNDING:
        name = last_name(node)
        yield file.replace("change_rounding", node, file.text(node).removesuffix(name) + _ROUNDING[name])


def _number_operator(node: ast.AST, file: SourceFile) -> str:
    parent = file.parents.get(node)
    if isinstance(parent, ast.keyword) and parent.arg in ("status_code", "status"):
        return "change_status"
    if isinstance(parent, ast.Assign) and any(last_name(target) == "status_code" for target in parent.targets):
        return "change_status"
    return "change_default" if _is_default(node, file) else "change_number"


def _is_default(node: ast.AST, file: SourceFile) -> bool:
    parent = file.parents.get(node)
    if isinstance(parent, ast.arguments):
        return True
    if isinstance(parent, ast.AnnAssign):
        return True
    return isinstance(parent, ast.keyword) and parent.arg in ("default", "server_default")


def _looks_like_sql(text: str) -> bool:
    return re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", text) is not None


def _other_text(written: str) -> str:
    """The literal with one character more before its closing quotes."""
    quotes = 3 if written.endswith(('"""', "'''")) else 1
    return f"{written[:-quotes]}~{written[-quotes:]}"
