"""A parsed source file that yields edits by node, and knows what of it no session can observe."""

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property

from harness.domain.mutation.mutant import Edit

_DECLARING = frozenset({"mapped_column", "Column"})
_ACTING_KEYWORDS = frozenset({"default", "server_default", "onupdate", "insert_default", "default_factory"})
"""Of a column's declaration, what takes part in statements; migrations make the rest."""
_SILENT_CALLS = frozenset({"Index", "ForeignKey", "UniqueConstraint", "CheckConstraint", "Identity", "dataclass"})
"""Parts of a schema, and how a class is made."""
_SCHEMA_NAMES = frozenset({"__table_args__", "__tablename__", "__all__", "__slots__"})
_DOCUMENTING = frozenset({"description", "title", "summary", "tags", "examples", "deprecated", "operation_id"})
_LOGGERS = ("log", "logger", "logging")
_Positioned = ast.expr | ast.stmt | ast.keyword | ast.arg


class SourceFile:
    """One Python file; positions are bytes, as the parser counts columns."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self.tree = ast.parse(source, path)
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node that each node is a child of."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def start(self, node: _Positioned) -> int:
        """Where a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: _Positioned) -> int:
        """Where a node ends."""
        assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: S101 - parsed from text
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: _Positioned) -> str:
        """A node as it is written."""
        return self.source[self.start(node) : self.end(node)].decode()

    def line_of(self, position: int) -> int:
        """The number of the line that a byte lies in."""
        return self.source.count(b"\n", 0, position) + 1

    def replace(self, operator: str, node: _Positioned, text: str) -> Edit:
        """A node written otherwise."""
        return Edit(operator=operator, start=self.start(node), end=self.end(node), text=text)

    def replace_between(
        self, operator: str, left: _Positioned, right: _Positioned, old: str, new: str
    ) -> Iterator[Edit]:
        """A token between two neighbours written otherwise; nothing where the text there is not `old` alone."""
        start, end = self.end(left), self.start(right)
        between = self.source[start:end].decode()
        if between.strip(" ()\n\\") == old:
            at = start + len(between[: between.index(old)].encode())
            yield Edit(operator=operator, start=at, end=at + len(old), text=new)

    def without(self, operator: str, items: Sequence[_Positioned], position: int) -> Edit:
        """A list of neighbours that commas divide, with one left out."""
        item = items[position]
        if position > 0:
            return Edit(operator=operator, start=self.end(items[position - 1]), end=self.end(item), text="")
        end = self.start(items[1]) if len(items) > 1 else self.end(item)
        return Edit(operator=operator, start=self.start(item), end=end, text="")

    def observable(self) -> Iterator[ast.AST]:
        """Every node whose change a client could notice, in the order of the text.

        Left out are documentation, annotations but for what `Annotated` carries, log lines, assertions, and the parts
        of a table's declaration that take no part in statements.
        """
        yield from _observable(self.tree)


def call_name(node: ast.AST) -> str:
    """The last part of the name that is called; empty where that is no name."""
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return ""
    return last_name(node.func)


def last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def arguments(call: ast.Call) -> list[ast.expr | ast.keyword]:
    """Positional and keyword arguments as they are written."""
    given: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    return sorted(given, key=lambda each: (each.lineno, each.col_offset))


def is_annotated(node: ast.AST) -> bool:
    """True for `Annotated[…]` with more than one element."""
    return (
        isinstance(node, ast.Subscript) and last_name(node.value) == "Annotated" and isinstance(node.slice, ast.Tuple)
    )


def _observable(node: ast.AST) -> Iterator[ast.AST]:
    if _is_silent(node):
        return
    yield node
    for child in _children(node):
        yield from _observable(child)


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.Global | ast.Nonlocal):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or _is_log_call(node.value)
    if isinstance(node, ast.Assign):
        return (
            any(last_name(target) in _SCHEMA_NAMES for target in node.targets) or call_name(node.value) == "getLogger"
        )
    if isinstance(node, ast.FunctionDef):
        return node.name in ("__repr__", "__str__")
    if isinstance(node, ast.keyword):
        return node.arg in _DOCUMENTING
    return call_name(node) in _SILENT_CALLS or (isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING")


def _is_log_call(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return last_name(node.func.value).strip("_").lower() in _LOGGERS


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and call_name(node) in _DECLARING:
        yield from (keyword for keyword in node.keywords if keyword.arg in _ACTING_KEYWORDS)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        yield from _of_arguments(node.args)
        yield from node.body
    elif isinstance(node, ast.AnnAssign):
        yield from _of_annotation(node.annotation)
        yield from [node.value] if node.value is not None else []
    elif is_annotated(node) and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        yield from node.slice.elts[1:]
    elif isinstance(node, ast.Raise):
        yield from [node.exc] if node.exc is not None else []
    else:
        yield from ast.iter_child_nodes(node)


def _of_arguments(given: ast.arguments) -> Iterator[ast.AST]:
    for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs):
        if argument.annotation is not None:
            yield from _of_annotation(argument.annotation)
    yield from (default for default in (*given.defaults, *given.kw_defaults) if default is not None)


def _of_annotation(annotation: ast.expr) -> Iterator[ast.AST]:
    yield from (node for node in ast.walk(annotation) if is_annotated(node))
