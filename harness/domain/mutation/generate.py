"""Every mutant of a file, and a sample of them that shows every kind of fault."""

import ast
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from harness.domain.mutation import calls, logic, queries, values
from harness.domain.mutation.mutant import Edit, Mutant, mutate
from harness.domain.mutation.source import SourceFile

Operator = Callable[[ast.AST, SourceFile], Iterator[Edit]]

OPERATORS: tuple[Operator, ...] = (
    queries.drop_clause,
    queries.change_clause,
    queries.change_aggregate,
    queries.drop_sort_key,
    queries.change_sql_text,
    logic.flip_comparison,
    logic.swap_boolean,
    logic.change_condition,
    logic.return_early,
    logic.drop_statement,
    logic.drop_transaction,
    values.change_constant,
    values.change_format,
    values.change_arithmetic,
    values.change_rounding,
    calls.skip_bound,
    calls.drop_argument,
    calls.swap_fields,
    calls.change_clock,
    calls.change_function,
)


def generate_mutants(path: str, source: bytes) -> tuple[Mutant, ...]:
    """All mutants of a file, in the order of its text; each parses.

    Raises:
        SyntaxError: the file itself does not parse.
    """
    file = SourceFile(path, source)
    edits = {(e.start, e.end, e.text): e for node in file.observable() for op in OPERATORS for e in op(node, file)}
    valid = (edit for edit in edits.values() if _parses(mutate(source, edit)))
    counts: Counter[str] = Counter()
    return tuple(_mutant(file, edit, counts) for edit in sorted(valid, key=lambda e: (e.start, e.end, e.operator)))


def sample_mutants(mutants: Sequence[Mutant], limit: int, seed: int) -> tuple[Mutant, ...]:
    """At most `limit` mutants, the same for the same seed: the operators take turns; 0 means all.

    A mutant's rank depends on nothing but itself and the seed, so that a change elsewhere moves few of them.
    """
    if not limit or len(mutants) <= limit:
        return tuple(mutants)
    by_operator: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in sorted(mutants, key=lambda each: _rank(each, seed)):
        by_operator[mutant.operator].append(mutant)
    # The n-th of every operator comes before the next of any.
    turns = [(n, _rank(each, seed), each.id) for found in by_operator.values() for n, each in enumerate(found)]
    chosen = {name for _, _, name in sorted(turns)[:limit]}
    return tuple(mutant for mutant in mutants if mutant.id in chosen)


def _rank(mutant: Mutant, seed: int) -> str:
    return hashlib.sha256(f"{seed}|{mutant.key}".encode()).hexdigest()


def _parses(mutated: bytes) -> bool:
    try:
        ast.parse(mutated)
    except (SyntaxError, ValueError):
        return False
    return True


def _mutant(file: SourceFile, edit: Edit, counts: Counter[str]) -> Mutant:
    line = file.line_of(edit.start)
    first, last, function = _locate(file.tree, line)
    name = f"{file.path}:{line}:{edit.operator}"
    counts[name] += 1
    return Mutant(
        id=name if counts[name] == 1 else f"{name}#{counts[name]}",
        path=file.path,
        line=line,
        operator=edit.operator,
        edit=edit,
        original=file.source[edit.start : edit.end].decode(),
        code=file.source.splitlines()[line - 1].decode().strip(),
        function=function,
        first_line=first,
        last_line=last,
    )


def _locate(tree: ast.Module, line: int) -> tuple[int, int, str]:
    """The innermost statement around a line, without its body, and the function or class that it belongs to."""
    first, last, function, body = line, line, "", tree.body
    while True:
        inner = next((each for each in body if _first_line(each) <= line <= (each.end_lineno or line)), None)
        if inner is None:
            return first, last, function
        nested = [child for child in ast.iter_child_nodes(inner) if isinstance(child, ast.stmt | ast.ExceptHandler)]
        first, last = _first_line(inner), _last_own_line(inner, nested)
        if last >= line:
            return first, last, function
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            function = f"{function}.{inner.name}" if function else inner.name
        body = nested  # type: ignore[assignment]  # handlers have positions and bodies as statements have


def _first_line(node: ast.AST) -> int:
    positions = [node, *getattr(node, "decorator_list", [])]
    return min(int(each.lineno) for each in positions)


def _last_own_line(node: ast.stmt, nested: Sequence[ast.AST]) -> int:
    if not nested:
        return node.end_lineno or node.lineno
    return max(node.lineno, min(map(_first_line, nested)) - 1)
