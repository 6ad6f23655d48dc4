"""Which target column answers for which legacy column, and what fills the columns that only the target has."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from harness.domain.cell_rule import OTHERS, CellRule
from harness.domain.cell_values import Family, families_of, family_of
from harness.domain.errors import ConfigurationError
from harness.domain.row_mapping import TableMapping
from harness.domain.row_mapping_check import check_table
from harness.domain.rows import Cell, Column, TableSchema

_BIRTH_COLUMN = "created_at"


class Fill(StrEnum):
    """Where the value of a column comes from that only the target has."""

    NULL = "null"
    ANY = "any"
    """The target decides: a migration leaves it to the column's default, a comparison accepts what is there."""
    COLUMN = "column"
    LITERAL = "literal"
    MISSING = "missing"
    """NOT NULL without a default or a rule: nothing can be written, and nothing be expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedColumn:
    """A column that both sides have, by position on each."""

    name: str
    legacy_at: int
    target_at: int
    legacy_family: Family
    target: Column
    target_family: Family
    rule: CellRule


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedColumn:
    """A column that only the target has; `argument` is the literal or the legacy column's name."""

    target: Column
    target_at: int
    fill: Fill
    argument: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlan:
    """One legacy table against one target table."""

    legacy: TableSchema
    target: TableSchema
    shared: tuple[SharedColumn, ...]
    added: tuple[AddedColumn, ...]
    lost: tuple[str, ...]
    """Legacy columns that the target does not have, but for those that are dropped by intent."""
    key: tuple[SharedColumn, ...]
    """By what rows are aligned: the legacy's key, else the target's, else every shared column."""


def plan_table(legacy: TableSchema, target: TableSchema, mapping: TableMapping | None = None) -> TablePlan:
    """Pairs the columns of two tables.

    A column that only the target has is filled by the mapping's rule, else: NULL where it is nullable and has no
    default; the row's `created_at` where it is a NOT NULL timestamp (a row was known from when it was written);
    else the column's default.

    Raises:
        ConfigurationError: the mapping does not fit the two tables, or has an unknown rule.
    """
    mapped = mapping or TableMapping()
    check_table(mapped, legacy, target)
    shared = tuple(
        _share(column, legacy, target, mapped) for column in legacy.column_names if _has(column, mapped, target)
    )
    names = {pair.target.name for pair in shared}
    added = tuple(_add(column, legacy, target, mapped) for column in target.columns if column.name not in names)
    lost = tuple(
        name for name in legacy.column_names if not _has(name, mapped, target) and name not in set(mapped.dropped)
    )
    return TablePlan(
        legacy=legacy, target=target, shared=shared, added=added, lost=lost, key=_key(shared, legacy, target)
    )


def literal_cell(text: str, family: Family) -> Cell:
    """A rule's literal as SQLite would have stored it in a column of that family."""
    if family is Family.BOOLEAN:
        return {"true": 1, "false": 0}.get(text.lower(), text)
    if family in {Family.INTEGER, Family.FLOAT, Family.DECIMAL}:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        return int(number) if family is Family.INTEGER and number == number.to_integral_value() else float(number)
    return text


def cell_rule(labels: Mapping[str, str], unit: str, family: Family) -> CellRule:
    """The rule of a column as the configuration spells it; labels become cells of the target column's family."""
    cells = {text: label if text == OTHERS else literal_cell(label, family) for text, label in labels.items()}
    return CellRule(labels=cells, unit=unit, family=family)


def _share(name: str, legacy: TableSchema, target: TableSchema, mapped: TableMapping) -> SharedColumn:
    legacy_at = legacy.column_names.index(name)
    target_at = target.column_names.index(mapped.columns.get(name, name))
    column = target.columns[target_at]
    legacy_family, target_family = families_of(legacy.columns[legacy_at].declared_type, column.declared_type)
    return SharedColumn(
        name=name,
        legacy_at=legacy_at,
        target_at=target_at,
        legacy_family=legacy_family,
        target=column,
        target_family=target_family,
        rule=cell_rule(mapped.enums.get(name, {}), mapped.units.get(name, ""), target_family),
    )


def _add(column: Column, legacy: TableSchema, target: TableSchema, mapped: TableMapping) -> AddedColumn:
    fill, argument = _rule(column, legacy, mapped.added.get(column.name))
    return AddedColumn(target=column, target_at=target.column_names.index(column.name), fill=fill, argument=argument)


def _rule(column: Column, legacy: TableSchema, rule: str | None) -> tuple[Fill, str]:
    if rule is not None:
        return stated_rule(column, legacy, rule)
    if column.is_nullable and column.default is None:
        return Fill.NULL, ""
    is_time = family_of(column.declared_type) in {Family.MOMENT, Family.INSTANT}
    if is_time and not column.is_nullable and _BIRTH_COLUMN in legacy.column_names:
        return Fill.COLUMN, _BIRTH_COLUMN
    return (Fill.ANY, "") if column.default is not None else (Fill.MISSING, "")


def stated_rule(column: Column, legacy: TableSchema, rule: str) -> tuple[Fill, str]:
    """A rule of `added`, and its literal or legacy column.

    Raises:
        ConfigurationError: it is none, or names a column that is not there.
    """
    word, _, argument = rule.strip().partition(" ")
    if rule.strip() in {Fill.NULL, Fill.ANY}:
        return Fill(rule.strip()), ""
    if word == "=":
        return Fill.LITERAL, argument.strip()
    if word == Fill.COLUMN and argument.strip() in legacy.column_names:
        return Fill.COLUMN, argument.strip()
    hint = "Rules are `null`, `any`, `column NAME` with a legacy column, and `= LITERAL`."
    where = f"[rows.map.{legacy.name}.added] {column.name}"
    raise ConfigurationError(f"the rule {rule!r} cannot be used", where=where, hint=hint)


def _has(name: str, mapped: TableMapping, target: TableSchema) -> bool:
    return name not in set(mapped.dropped) and mapped.columns.get(name, name) in target.column_names


def _key(shared: tuple[SharedColumn, ...], legacy: TableSchema, target: TableSchema) -> tuple[SharedColumn, ...]:
    by_legacy = {pair.name: pair for pair in shared}
    by_target = {pair.target.name: pair for pair in shared}
    if legacy.key and all(name in by_legacy for name in legacy.key):
        return tuple(by_legacy[name] for name in legacy.key)
    if target.key and all(name in by_target for name in target.key):
        return tuple(by_target[name] for name in target.key)
    return shared
