"""Compares whole databases: what both sides start a session from."""

from harness.domain.compare.cells import RowMapping, TablePair, cell_kind, cell_text, pair_tables, row_text
from harness.domain.compare.rows import key_pointer
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.rows import Cell, DatabaseState, Row, TableRows, TableSchema


def compare_states(legacy: DatabaseState, target: DatabaseState, mapping: RowMapping) -> tuple[Difference, ...]:
    """Every table, column and row that differs, in name and key order; rows are matched by key."""
    found: list[Difference] = []
    for table, rows in sorted(legacy.items()):
        if table in mapping.dropped:
            continue
        other = target.get(mapping.target_table(table))
        if other is None:
            found.append(_difference(f"/{table}", DifferenceKind.MISSING, f"{len(rows.rows)}", None))
        else:
            found += _compare_table(rows, other, mapping)
    expected = {mapping.target_table(table) for table in legacy} | mapping.added
    for name in sorted(target.keys() - expected):
        if target[name].rows:
            found.append(_difference(f"/{name}", DifferenceKind.EXTRA, None, f"{len(target[name].rows)}"))
    return tuple(found)


def _compare_table(legacy: TableRows, target: TableRows, mapping: RowMapping) -> list[Difference]:
    pair = pair_tables(legacy.schema, target.schema, mapping)
    found = _unpaired_columns(pair, mapping)
    mine, theirs = _by_key(legacy), _by_key(target)
    for key, row in mine.items():
        if key not in theirs:
            text = row_text(pair.legacy, row)
            found.append(_difference(_pointer(pair, row), DifferenceKind.MISSING, text, None))
        else:
            found += _compare_rows(pair, row, theirs[key])
    for key, row in theirs.items():
        if key not in mine:
            text = row_text(pair.target, row)
            pointer = key_pointer(pair.legacy.name, _key_of(pair.target, row))
            found.append(_difference(pointer, DifferenceKind.EXTRA, None, text))
    return found


def _unpaired_columns(pair: TablePair, mapping: RowMapping) -> list[Difference]:
    table = pair.legacy.name
    shared = {column.name for column in pair.columns}
    there = {pair.target.columns[column.target_index].name for column in pair.columns}
    missing = [
        _difference(f"/{table}/*/{column.name}", DifferenceKind.MISSING, f'"{column.declared_type}"', None)
        for column in pair.legacy.columns
        if column.name not in shared and f"{table}.{column.name}" not in mapping.dropped
    ]
    extra = [
        _difference(f"/{table}/*/{column.name}", DifferenceKind.EXTRA, None, f'"{column.declared_type}"')
        for column in pair.target.columns
        if column.name not in there and f"{pair.target.name}.{column.name}" not in mapping.added
    ]
    return missing + extra


def _compare_rows(pair: TablePair, legacy: Row, target: Row) -> list[Difference]:
    found = []
    for column in pair.columns:
        mine, theirs = legacy[column.legacy_index], target[column.target_index]
        kind = cell_kind(column, mine, theirs)
        if kind is not None:
            pointer = f"{_pointer(pair, legacy)}/{column.name}"
            found.append(_difference(pointer, kind, cell_text(mine), cell_text(theirs)))
    return found


def _by_key(table: TableRows) -> dict[tuple[str, ...], Row]:
    return {tuple(cell_text(part) for part in _key_of(table.schema, row)): row for row in table.rows}


def _key_of(schema: TableSchema, row: Row) -> tuple[Cell, ...]:
    names = schema.column_names
    key = tuple(row[names.index(name)] for name in schema.key if name in names)
    return key or row  # a table without a key is compared as a set of whole rows


def _pointer(pair: TablePair, row: Row) -> str:
    return key_pointer(pair.legacy.name, _key_of(pair.legacy, row))


def _difference(pointer: str, kind: DifferenceKind, legacy: str | None, target: str | None) -> Difference:
    return Difference(facet=Facet.ROW, pointer=pointer, kind=kind, legacy=legacy, target=target)
