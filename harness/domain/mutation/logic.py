"""Operators on decisions and statements: comparisons, conditions, returns, raises, calls that are left out."""

import ast
from collections.abc import Iterator

from harness.domain.mutation.mutant import Edit
from harness.domain.mutation.source import SourceFile, last_name

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_TRANSACTION = frozenset({"commit", "flush", "begin", "begin_nested", "rollback"})


def flip_comparison(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """`<` becomes `<=`, `==` becomes `!=`, `is` becomes `is not`."""
    if not isinstance(node, ast.Compare):
        return
    operands = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        old, new = _COMPARISONS[type(operator)]
        yield from file.replace_between("flip_comparison", left, right, old, new)


def swap_boolean(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """`and` becomes `or`, and the other way round; `not` is left out."""
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from file.replace_between("swap_boolean", left, right, old, new)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield file.replace("drop_not", node, file.text(node.operand))


def change_condition(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A condition holds always, or never; one that guards a `raise` alone never does: the validation is skipped."""
    if isinstance(node, ast.If):
        if all(isinstance(statement, ast.Raise) for statement in node.body):
            yield file.replace("skip_validation", node.test, "False")
        else:
            yield file.replace("condition_never", node.test, "False")
            yield file.replace("condition_always", node.test, "True")
    elif isinstance(node, ast.IfExp):
        yield file.replace("condition_never", node.test, "False")
        yield file.replace("condition_always", node.test, "True")
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield file.replace("drop_filter", test, "True")


def return_early(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A function returns nothing instead of its value, or before its last statements."""
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield file.replace("return_nothing", node.value, "None")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        last = node.body[-1]
        if len(node.body) > 1 and not isinstance(last, ast.Return | ast.Raise) and not _yields(node):
            yield file.replace("return_early", last, "return")


def drop_statement(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """A call made for its effect is not made; `drop_commit` where it ends or writes out a transaction."""
    if isinstance(node, ast.Expr):
        inner = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(inner, ast.Call):
            name = "drop_commit" if last_name(inner.func) in _TRANSACTION else "drop_call"
            yield file.replace(name, node, "pass")
    elif isinstance(node, ast.AugAssign | ast.Raise) and node in _blocks(file, node):
        yield file.replace("drop_assignment" if isinstance(node, ast.AugAssign) else "drop_raise", node, "pass")


def drop_transaction(node: ast.AST, file: SourceFile) -> Iterator[Edit]:
    """`async with session, session.begin():` opens no transaction, so that nothing is committed."""
    if not isinstance(node, ast.With | ast.AsyncWith) or len(node.items) < 2:
        return
    contexts = [item.optional_vars or item.context_expr for item in node.items]
    for n, item in enumerate(node.items):
        call = item.context_expr
        if n and isinstance(call, ast.Call) and last_name(call.func) in _TRANSACTION:
            yield Edit(operator="drop_commit", start=file.end(contexts[n - 1]), end=file.end(contexts[n]), text="")


def _blocks(file: SourceFile, node: ast.stmt) -> list[ast.stmt]:
    parent = file.parents.get(node)
    # A raise that alone makes up the body of an `if` is what `skip_validation` takes out already.
    if isinstance(parent, ast.If) and isinstance(node, ast.Raise):
        return []
    return list(getattr(parent, "body", [])) + list(getattr(parent, "orelse", []))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _yields(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node))
