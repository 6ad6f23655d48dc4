"""What a migration writes: which rows go where, as which values, and why some cannot go."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.domain.carry import shown
from harness.domain.carry_column import carry_column
from harness.domain.cell_rule import NO_RULE, CellRule
from harness.domain.cell_values import cell_text, family_of
from harness.domain.errors import DataRefused
from harness.domain.row_mapping import RowMapping, carried_tables, target_table
from harness.domain.row_mapping_check import check_tables
from harness.domain.row_plan import AddedColumn, Fill, TablePlan, literal_cell, plan_table
from harness.domain.rows import Cell, Column, Row, TableSchema
from harness.domain.secret_names import is_secret_name

Enums = Mapping[str, Sequence[str]]
_SHOWN_REFUSALS = 5
_HIDDEN = "(a secret)"


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
    legacy: Mapping[str, TableSchema], schemas: Mapping[str, TableSchema], mapping: RowMapping
) -> tuple[TablePlan, ...]:
    """A plan for every legacy table that is carried, in the order of their names.

    Raises:
        DataRefused: the target lacks a table or column that the legacy has, or a value for one of its own.
        ConfigurationError: the mapping does not fit the two databases.
    """
    check_tables(mapping, legacy, schemas)
    plans = []
    for name in carried_tables(legacy, mapping):
        answering = target_table(name, mapping)
        if answering not in schemas:
            hint = "Create it (`alembic upgrade head`), or map or drop it under [rows] in parakeet.toml."
            raise DataRefused(f"the target has no table for the legacy's {name}", where=answering, hint=hint)
        plan = plan_table(legacy[name], schemas[answering], mapping.get(name))
        _require_complete(plan)
        plans.append(plan)
    return tuple(plans)


@dataclass(slots=True, kw_only=True)
class TableCarrier:
    """Turns a table's rows into the lines that PostgreSQL's COPY reads; columns the target fills itself are absent."""

    plan: TablePlan
    enums: Enums
    on_refusal: Callable[[Refusal], None] = lambda _: None
    """Told of every value that cannot be carried, as it is met."""
    rows: int = 0
    """Carried or refused so far."""
    refusals: list[Refusal] = field(default_factory=list)
    """The first of them; memory does not grow with the rest."""
    refused: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the target's columns, in the order of the lines."""
        return tuple(each.target.name for each in self._sources())

    @property
    def rules(self) -> tuple[str, ...]:
        """How the columns are filled that the legacy lacks, for people."""
        return tuple(_rule_text(self.plan, column) for column in self.plan.added)

    def carry(self, rows: Sequence[Row]) -> bytes:
        """The rows as lines; empty once a row was refused."""
        legacy = tuple(zip(*rows, strict=True))
        carried = []
        for source in self._sources():
            cells, lacking = source.cells(legacy, len(rows))
            column = carry_column(cells, source.target, self.enums)
            carried.append(column)
            # What the mapping has no value for is told in its words, not in those of the target's column.
            for position, why in sorted({**dict(column.refused), **lacking}.items()):
                given = cells[position] if source.legacy_at is None else rows[position][source.legacy_at]
                known = _without(why, (cells[position], given)) if source.is_secret else why
                self._refuse(rows, position, source.name, known)
        self.rows += len(rows)
        if self.refused:
            return b""
        lines = map("\t".join, zip(*(column.texts for column in carried), strict=True))
        return "\n".join((*lines, "")).encode()

    def _sources(self) -> Iterator["_Source"]:
        plan = self.plan
        for pair in (pair for pair in plan.shared if not pair.target.is_generated):
            yield _Source(name=pair.name, target=pair.target, legacy_at=pair.legacy_at, rule=pair.rule)
        for column in plan.added:
            if column.fill is not Fill.ANY:
                yield _added_source(plan, column)

    def _refuse(self, rows: Sequence[Row], position: int, column: str, why: str) -> None:
        self.refused += 1
        row = name_row(self.plan.legacy, rows[position], self.rows + position)
        refusal = Refusal(table=self.plan.legacy.name, row=row, column=column, why=why)
        self.on_refusal(refusal)
        if len(self.refusals) < _SHOWN_REFUSALS:
            self.refusals.append(refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Where a target column's cells come from."""

    name: str
    target: Column
    legacy_at: int | None
    literal: Cell = None
    rule: CellRule = NO_RULE

    @property
    def is_secret(self) -> bool:
        """Whether messages must not show its values."""
        return is_secret_name(self.name) or is_secret_name(self.target.name)

    def cells(self, legacy: Sequence[tuple[Cell, ...]], rows: int) -> tuple[tuple[Cell, ...], Mapping[int, str]]:
        """What to write, and by position why the mapping has no value."""
        if self.legacy_at is None:
            return (self.literal,) * rows, {}
        return self.rule.apply_all(legacy[self.legacy_at])


def refusal_error(refusals: Sequence[Refusal], count: int) -> DataRefused:
    """All refusals as one error: the first of them, and how many more there are."""
    more = count - _SHOWN_REFUSALS
    also = "; also ".join(map(str, refusals[1:_SHOWN_REFUSALS]))
    rest = f"{f'; also {also}' if also else ''}{f'; and {more} more' if more > 0 else ''}"
    hint = "Correct these rows in a copy of the legacy file and migrate that copy; nothing was written."
    return DataRefused(f"the data cannot be carried: {refusals[0]}{rest}", hint=hint)


def name_row(schema: TableSchema, row: Row, position: int) -> str:
    """A row for a message: its key, or its position where the table has none."""
    if not schema.key:
        return f"number {position + 1}"
    cells = dict(zip(schema.column_names, row, strict=True))
    return ", ".join(f"{name}={_HIDDEN if is_secret_name(name) else cell_text(cells[name])}" for name in schema.key)


def _without(why: str, cells: Sequence[Cell]) -> str:
    """What is said of cells that hold a secret, without it."""
    texts = {text for cell in cells for text in (shown(cell), cell_text(cell), str(cell)) if text}
    for text in sorted(texts, key=len, reverse=True):
        why = why.replace(text, _HIDDEN)
    return why


def _added_source(plan: TablePlan, column: AddedColumn) -> _Source:
    name = f"{column.target.name} (rule: {_rule_text(plan, column)})"
    if column.fill is Fill.COLUMN:
        return _Source(name=name, target=column.target, legacy_at=plan.legacy.column_names.index(column.argument))
    family = family_of(column.target.declared_type)
    literal = literal_cell(column.argument, family) if column.fill is Fill.LITERAL else None
    return _Source(name=name, target=column.target, legacy_at=None, literal=literal)


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
        hint = "Map or drop it under [rows.map] in parakeet.toml, or add the column to the target."
        where = f"table {plan.legacy.name}"
        raise DataRefused(f"the target has no column for the legacy's {', '.join(plan.lost)}", where=where, hint=hint)
    missing = [column.target.name for column in plan.added if column.fill is Fill.MISSING]
    if missing:
        hint = f"Give it a rule under [rows.map.{plan.legacy.name}.added] in parakeet.toml."
        raise DataRefused(
            f"nothing fills the target's column {missing[0]}", where=f"table {plan.target.name}", hint=hint
        )
