"""What a migration writes: which rows go where, as which values, and why some cannot go."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.domain.carry import CannotCarry, carry_cell
from harness.domain.cell_values import cell_text, family_of
from harness.domain.errors import DataRefused
from harness.domain.row_plan import AddedColumn, Fill, RowMapping, TablePlan, literal_cell, plan_table, target_table
from harness.domain.rows import Cell, DatabaseState, Row, TableRows, TableSchema

Enums = Mapping[str, Sequence[str]]
_SHOWN_REFUSALS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLoad:
    """Rows ready to write into one target table, in legacy order; columns the target fills itself are absent."""

    legacy_table: str
    target_table: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    rules: tuple[str, ...]
    """How the columns are filled that the legacy lacks, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One value that cannot be carried."""

    table: str
    row: str
    column: str
    why: str

    def __str__(self) -> str:
        return f"table {self.table}, row {self.row}, column {self.column}: {self.why}"


def plan_tables(
    legacy: DatabaseState, schemas: Mapping[str, TableSchema], mapping: RowMapping
) -> tuple[TablePlan, ...]:
    """A plan for every legacy table, in the order of their names.

    Raises:
        DataRefused: the target lacks a table or column that the legacy has, or a value for one of its own.
        ConfigurationError: the mapping names a column that is not there.
    """
    plans = []
    for name in sorted(legacy):
        answering = target_table(name, mapping)
        if answering not in schemas:
            hint = "Create it (`alembic upgrade head`), or name its counterpart under [rows.map] in parakeet.toml."
            raise DataRefused(f"the target has no table for the legacy's {name}", where=answering, hint=hint)
        plan = plan_table(legacy[name].schema, schemas[answering], mapping.get(name))
        _require_complete(plan)
        plans.append(plan)
    return tuple(plans)


def carry_tables(legacy: DatabaseState, plans: Sequence[TablePlan], enums: Enums) -> tuple[TableLoad, ...]:
    """Every row as the target takes it.

    Raises:
        DataRefused: at least one value does not fit; names table, row and column of the first ones.
    """
    refusals: list[Refusal] = []
    loads = tuple(_carry_table(plan, legacy[plan.legacy.name], enums, refusals) for plan in plans)
    if refusals:
        more = len(refusals) - _SHOWN_REFUSALS
        also = "; also ".join(map(str, refusals[1:_SHOWN_REFUSALS]))
        rest = f"{f'; also {also}' if also else ''}{f'; and {more} more' if more > 0 else ''}"
        hint = "Correct these rows in a copy of the legacy file and migrate that copy; nothing was written."
        raise DataRefused(f"the data cannot be carried: {refusals[0]}{rest}", hint=hint)
    return loads


def name_row(schema: TableSchema, row: Row, position: int) -> str:
    """A row for a message: its key, or its position where the table has none."""
    if not schema.key:
        return f"number {position + 1}"
    cells = dict(zip(schema.column_names, row, strict=True))
    return ", ".join(f"{name}={cell_text(cells[name])}" for name in schema.key)


def _carry_table(plan: TablePlan, table: TableRows, enums: Enums, refusals: list[Refusal]) -> TableLoad:
    written = [column for column in plan.added if column.fill is not Fill.ANY]
    columns = (*(pair.target.name for pair in plan.shared), *(column.target.name for column in written))
    rows = []
    for position, row in enumerate(table.rows):
        try:
            rows.append(tuple(_carry_row(plan, row, written, enums)))
        except _CellRefused as refused:
            named = name_row(plan.legacy, row, position)
            refusals.append(Refusal(table=plan.legacy.name, row=named, column=refused.column, why=refused.why))
    return TableLoad(
        legacy_table=plan.legacy.name,
        target_table=plan.target.name,
        columns=columns,
        rows=tuple(rows),
        rules=tuple(_rule_text(plan, column) for column in plan.added),
    )


class _CellRefused(Exception):
    def __init__(self, column: str, why: str) -> None:
        self.column = column
        self.why = why
        super().__init__(why)


def _carry_row(plan: TablePlan, row: Row, written: Sequence[AddedColumn], enums: Enums) -> Iterator[Cell]:
    for pair in plan.shared:
        cell = row[pair.legacy_at]
        renamed = pair.enum.get(cell, cell) if isinstance(cell, str) else cell
        try:
            yield carry_cell(renamed, pair.target, enums)
        except CannotCarry as error:
            raise _CellRefused(pair.name, str(error)) from error
    for column in written:
        try:
            yield carry_cell(_filled(plan, row, column), column.target, enums)
        except CannotCarry as error:
            raise _CellRefused(column.target.name, f"{error} (rule: {_rule_text(plan, column)})") from error


def _filled(plan: TablePlan, row: Row, column: AddedColumn) -> Cell:
    if column.fill is Fill.COLUMN:
        return row[plan.legacy.column_names.index(column.argument)]
    if column.fill is Fill.LITERAL:
        return literal_cell(column.argument, family_of(column.target.declared_type))
    return None


def _rule_text(plan: TablePlan, column: AddedColumn) -> str:
    source = {
        Fill.NULL: "NULL",
        Fill.ANY: f"the target's default {column.target.default or ''}".rstrip(),
        Fill.COLUMN: f"the row's {column.argument}",
        Fill.LITERAL: f"the literal {column.argument}",
        Fill.MISSING: "nothing",
    }[column.fill]
    return f"{plan.target.name}.{column.target.name} = {source}"


def _require_complete(plan: TablePlan) -> None:
    if plan.lost:
        hint = "Name its counterpart under [rows.map] in parakeet.toml, or add the column to the target."
        where = f"table {plan.legacy.name}"
        raise DataRefused(f"the target has no column for the legacy's {', '.join(plan.lost)}", where=where, hint=hint)
    missing = [column.target.name for column in plan.added if column.fill is Fill.MISSING]
    if missing:
        hint = f"Give it a rule under [rows.map.{plan.legacy.name}.added] in parakeet.toml."
        raise DataRefused(
            f"nothing fills the target's column {missing[0]}", where=f"table {plan.target.name}", hint=hint
        )
