"""Compares two database cells by value: SQLite types each cell, PostgreSQL each column."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from harness.domain.cell_rule import NO_RULE, CellRule
from harness.domain.cell_values import RESPELLED, Family, cell_value, families_of, family_of
from harness.domain.compare.clock import ClockValue, from_date, parse_clock
from harness.domain.compare.document import to_text
from harness.domain.difference import DifferenceKind
from harness.domain.redaction_marks import is_bytes_mark, is_number_mark
from harness.domain.row_plan import Fill, cell_rule, literal_cell, stated_rule
from harness.domain.rows import Cell, Column, Row, TableSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMapping:
    """How the target's tables differ from the legacy's by intent; names are `table` or `table.column` of the legacy."""

    tables: Mapping[str, str] = field(default_factory=dict)
    """Legacy table to target table."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Legacy `table.column` to target column."""
    added: frozenset[str] = frozenset()
    """Target's `table` or `table.column` that the legacy lacks."""
    enums: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Legacy `table.column` to legacy text to target text."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Legacy `table.column` to how its number becomes the target's."""
    fills: Mapping[str, str] = field(default_factory=dict)
    """Target's `table.column` that the legacy lacks, to the rule of what it holds."""
    dropped: frozenset[str] = frozenset()
    """Legacy's `table` or `table.column` that the target does without."""

    def target_table(self, table: str) -> str:
        """The target's name of a legacy table."""
        return self.tables.get(table, table)

    def target_column(self, table: str, column: str) -> str:
        """The target's name of a legacy column."""
        return self.columns.get(f"{table}.{column}", column)

    def legacy_table(self, table: str) -> str:
        """The legacy's name of a target table."""
        return next((mine for mine, theirs in self.tables.items() if theirs == table), table)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPair:
    """A column on both sides: positions in both rows, and what both declarations allow cells to mean."""

    name: str
    legacy_index: int
    target_index: int
    family: str
    """How both sides' cells are read: one of ours, or the target's type where that spells a value in its own way."""
    is_key: bool
    rule: CellRule = NO_RULE
    literal: Cell = None
    """What is expected of a column that only the target has and that answers for no legacy column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """A table on both sides with the columns that both have."""

    legacy: TableSchema
    target: TableSchema
    columns: tuple[ColumnPair, ...]
    added: tuple[ColumnPair, ...] = ()
    """Columns that only the target has and whose content the mapping states."""


def pair_tables(legacy: TableSchema, target: TableSchema, mapping: RowMapping) -> TablePair:
    """Matches columns by name, after the mapping."""
    there = {column.name: (index, column) for index, column in enumerate(target.columns)}
    pairs = []
    for index, column in enumerate(legacy.columns):
        name = f"{legacy.name}.{column.name}"
        found = None if name in mapping.dropped else there.get(mapping.target_column(legacy.name, column.name))
        if found is not None:
            family = family_of(found[1].declared_type)
            pairs.append(
                ColumnPair(
                    name=column.name,
                    legacy_index=index,
                    target_index=found[0],
                    family=_family(column, found[1]),
                    is_key=column.name in legacy.key,
                    rule=cell_rule(mapping.enums.get(name, {}), mapping.units.get(name, ""), family),
                )
            )
    added = tuple(_stated(column, legacy, target, mapping) for column in target.columns)
    return TablePair(
        legacy=legacy, target=target, columns=tuple(pairs), added=tuple(each for each in added if each is not None)
    )


def _stated(column: Column, legacy: TableSchema, target: TableSchema, mapping: RowMapping) -> ColumnPair | None:
    """What the mapping says of a column that only the target has; None where that is nothing."""
    text = mapping.fills.get(f"{target.name}.{column.name}")
    fill, argument = (Fill.ANY, "") if text is None else stated_rule(column, legacy, text)
    if fill is Fill.ANY:
        return None
    source = legacy.column_names.index(argument) if fill is Fill.COLUMN else None
    literal = literal_cell(argument, family_of(column.declared_type)) if fill is Fill.LITERAL else None
    return ColumnPair(
        name=column.name,
        legacy_index=-1 if source is None else source,
        target_index=target.column_names.index(column.name),
        family=_family(column if source is None else legacy.columns[source], column),
        is_key=False,
        literal=literal,
    )


def expected_cell(column: ColumnPair, legacy: Cell) -> Cell:
    """What the target is to hold for a legacy cell; the cell itself where the mapping has no value for it."""
    return column.rule.find(legacy)[0]


def cell_kind(column: ColumnPair, legacy: Cell, target: Cell) -> DifferenceKind | None:
    """How two cells differ; None where they hold the same value. NULL, '' and false are three values; NaN is itself."""
    expected, why = column.rule.find(legacy)
    return DifferenceKind.VALUE if why else expected_kind(column, expected, target)


def expected_kind(column: ColumnPair, expected: Cell, target: Cell) -> DifferenceKind | None:
    """As `cell_kind`, of a cell that the column's rule was applied to."""
    mine, theirs = _plain(expected, column), _plain(target, column)
    if _is_quantity(mine) and _is_quantity(theirs):
        return _number_kind(mine, theirs, column)
    if _type_of(mine) is not _type_of(theirs):
        return DifferenceKind.TYPE
    return None if mine == theirs else DifferenceKind.VALUE


def spelled_cell(cell: Cell, family: str) -> Cell:
    """The one text of a value that the target's type spells in its own way; any other cell itself."""
    tag, value = cell_value(cell, Family(family)) if family in RESPELLED else ("", cell)
    return str(value) if tag and tag == family else cell


def cell_clock(cell: Cell, zone: tzinfo) -> ClockValue | None:
    """The moment that a datetime cell or text holds."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return from_date(cell, zone)
    if isinstance(cell, str | datetime):
        return parse_clock(cell.replace(" ", "T", 1) if isinstance(cell, str) else cell, zone)
    return None


def cell_text(cell: Cell) -> str:
    """A cell as JSON text; what JSON lacks is spelt out (`datetime`, `bytes`)."""
    return to_text(json_cell(cell))


def row_text(schema: TableSchema, row: Row) -> str:
    """A row as a JSON object."""
    return to_text({name: json_cell(cell) for name, cell in zip(schema.column_names, row, strict=False)})


def json_cell(cell: Cell) -> Any:
    """A cell as a JSON value."""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, bytes):
        return f"0x{cell.hex()}"
    if isinstance(cell, Decimal) or (isinstance(cell, float) and not math.isfinite(cell)):
        return str(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and cell.bit_length() > 63:
        return str(cell)
    return cell


def _family(legacy: Column, target: Column) -> str:
    spelled = families_of(legacy.declared_type, target.declared_type)[1]
    if spelled in RESPELLED:
        return spelled.value
    declared = f"{legacy.declared_type} {target.declared_type}".upper()
    for family, words in _FAMILIES:
        if any(word in declared for word in words):
            return family
    return ""


_FAMILIES = (
    ("bool", ("BOOL",)),
    ("clock", ("DATE", "TIME")),
    ("number", ("FLOAT", "REAL", "DOUBLE", "NUMERIC", "DECIMAL")),
)


def _plain(cell: Cell, column: ColumnPair) -> Any:
    if column.family == "bool" and type(cell) is int and cell in (0, 1):
        return bool(cell)
    if column.family in RESPELLED:
        return spelled_cell(cell, column.family)
    if column.family == "clock":
        clock = cell_clock(cell, UTC)
        return clock.at if clock is not None else _date_only(cell)
    return cell


def _date_only(cell: Cell) -> Any:
    try:
        day = date.fromisoformat(cell) if isinstance(cell, str) else None
    except ValueError:
        return cell
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day is not None else cell


def _is_quantity(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _type_of(value: Any) -> type:
    """The type of a value, or of what a mark stands for."""
    if is_number_mark(value) or _is_quantity(value):
        return Decimal
    return bytes if is_bytes_mark(value) else type(value)


def _number_kind(mine: Any, theirs: Any, column: ColumnPair) -> DifferenceKind | None:
    try:
        first, second = Decimal(repr(mine) if isinstance(mine, float) else mine), theirs
        second = Decimal(repr(theirs) if isinstance(theirs, float) else theirs)
    except InvalidOperation:
        return DifferenceKind.VALUE
    if first.is_nan() and second.is_nan():
        return None
    if first != second:
        return DifferenceKind.VALUE
    is_same_type = column.family == "number" or type(mine) is type(theirs)
    return None if is_same_type else DifferenceKind.REPRESENTATION
