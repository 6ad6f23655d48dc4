"""Differences between rows, by where they are: the table, the row's key, the column."""

from harness.domain.cell_values import cell_text
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.pointer import join_pointer
from harness.domain.rows import Cell, Row, TableSchema

Key = tuple[Cell, ...]


def missing_rows(table: str, text: str) -> Difference:
    """A table that the target lacks; `text` says what it holds."""
    return _difference((table,), DifferenceKind.MISSING, text, None)


def missing_column(table: str, name: str) -> Difference:
    """A column that the target lacks."""
    return _difference((table, name), DifferenceKind.MISSING, '"column"', None)


def missing_row(table: str, schema: TableSchema, key: Key, row: Row) -> Difference:
    """A row that only the legacy has."""
    return _difference((table, key_token(key)), DifferenceKind.MISSING, row_text(schema, row), None)


def extra_row(table: str, schema: TableSchema, key: Key, row: Row) -> Difference:
    """A row that only the target has."""
    return _difference((table, key_token(key)), DifferenceKind.EXTRA, None, row_text(schema, row))


def cell_difference(table: str, key: Key, column: str, kind: DifferenceKind, cells: tuple[Cell, Cell]) -> Difference:
    """Two cells that mean different things."""
    return _difference((table, key_token(key), column), kind, cell_text(cells[0]), cell_text(cells[1]))


def key_of(schema: TableSchema, row: Row) -> Key:
    """The row's key under its own table's schema; the whole row where that has none."""
    if not schema.key:
        return tuple(row)
    return tuple(row[schema.column_names.index(name)] for name in schema.key)


def key_token(key: Key) -> str:
    """A key as one pointer token: JSON, so that no two keys look alike."""
    return cell_text(key[0]) if len(key) == 1 else "[" + ",".join(map(cell_text, key)) + "]"


def row_text(schema: TableSchema, row: Row) -> str:
    """A row as JSON, for people."""
    cells = (f"{cell_text(name)}:{cell_text(cell)}" for name, cell in zip(schema.column_names, row, strict=True))
    return "{" + ",".join(cells) + "}"


def _difference(pointer: tuple[str, ...], kind: DifferenceKind, legacy: str | None, target: str | None) -> Difference:
    return Difference(facet=Facet.ROW, pointer=join_pointer(pointer), kind=kind, legacy=legacy, target=target)
