"""Secrets in database rows: cells of any type under secret columns, keys, and the differences that tell of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from harness.domain.cell_values import Family, family_of, numeric_value, parse_moment
from harness.domain.difference import Difference, Facet
from harness.domain.pointer import join_pointer, parse_pointer
from harness.domain.record import RowChange
from harness.domain.redaction import Redactor
from harness.domain.rows import Cell, Column, Row, TableSchema
from harness.domain.secret_names import counts_rows, is_secret_name

Schemas = Mapping[str, TableSchema]
_CLOCKS = frozenset({Family.MOMENT, Family.INSTANT, Family.DATE})
_UNKNOWN = Column(name="", declared_type="", is_nullable=True)


def redact_changes(changes: Iterable[RowChange], schemas: Schemas, redactor: Redactor) -> tuple[RowChange, ...]:
    """The changes as they may be stored: cells that meant the same still do, cells that differed still do."""
    return tuple(_change(change, schemas.get(change.table), redactor) for change in changes)


def redact_row_difference(difference: Difference, schemas: Sequence[Schemas], redactor: Redactor) -> Difference:
    """A difference between rows as it may be stored, its row's key included; `schemas` are both sides' tables."""
    tokens = list(parse_pointer(difference.pointer))
    if difference.facet is Facet.ROW and len(tokens) > 1:
        tokens[1] = _key_token(tokens[1], _secret_key(tokens[0], schemas), redactor)
    column = tokens[2] if len(tokens) > 2 else ""
    return replace(
        difference,
        pointer=redactor.text(join_pointer(tokens)),
        legacy=redactor.value(column, difference.legacy),
        target=redactor.value(column, difference.target),
    )


def has_secret_key(schema: TableSchema) -> bool:
    """Whether what a row is known by may be a secret; without a key that is the whole row."""
    return any(map(is_secret_name, schema.key or schema.column_names))


def _change(change: RowChange, schema: TableSchema | None, redactor: Redactor) -> RowChange:
    columns = () if schema is None else schema.columns
    named = {column.name: column for column in columns}
    key = columns if schema is None or not schema.key else tuple(named.get(name, _UNKNOWN) for name in schema.key)
    return replace(
        change,
        key=_row(change.key, key, redactor) or (),
        before=_row(change.before, columns, redactor),
        after=_row(change.after, columns, redactor),
    )


def _row(row: Row | None, columns: tuple[Column, ...], redactor: Redactor) -> Row | None:
    if row is None:
        return None
    known = (*columns, *[_UNKNOWN] * (len(row) - len(columns)))
    return tuple(_cell(column, cell, redactor) for column, cell in zip(known, row, strict=False))


def _cell(column: Column, cell: Cell, redactor: Redactor) -> Cell:
    if cell is None or isinstance(cell, (bool, date)):  # says no more than whether or when
        return cell
    if not is_secret_name(column.name):
        if isinstance(cell, str):
            return redactor.text(cell)
        return redactor.data(cell) if isinstance(cell, bytes) else cell
    if isinstance(cell, bytes):
        return redactor.blob(cell)
    if isinstance(cell, str):
        is_clock = family_of(column.declared_type) in _CLOCKS and parse_moment(cell) is not None
        return cell if is_clock else redactor.secret(cell)
    # One database's 0 and 1 are the other's false and true.
    return cell if cell in {0, 1} or counts_rows(column.name) else redactor.number(_number_text(cell))


def _number_text(cell: Cell) -> str:
    """The same text for numbers that are equal, whatever type a database gave them."""
    number = numeric_value(cell)
    if number is None or not number.is_finite():
        return "NaN" if number is None else str(number)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _secret_key(table: str, schemas: Sequence[Schemas]) -> tuple[str, ...]:
    """The names of the columns that make the table's key; none where it holds no secret."""
    found = [each[table] for each in schemas if table in each and has_secret_key(each[table])]
    return (found[0].key or found[0].column_names) if found else ()


def _key_token(token: str, names: tuple[str, ...], redactor: Redactor) -> str:
    if not names:
        return token
    if len(names) == 1:
        return redactor.value(names[0], token) or ""
    try:
        cells = json.loads(token)
    except ValueError:
        return redactor.secret(token)
    if not isinstance(cells, list) or len(cells) != len(names):
        return redactor.secret(token)
    texts = (redactor.value(name, json.dumps(cell)) or "" for name, cell in zip(names, cells, strict=True))
    return f"[{','.join(texts)}]"
