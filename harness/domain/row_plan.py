"""Which target column answers for which legacy column, and what fills the columns that only the target has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from harness.domain.cell_values import Family, family_of
from harness.domain.errors import ConfigurationError
from harness.domain.rows import Cell, Column, TableSchema

_BIRTH_COLUMN = "created_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """How one legacy table is found on the target; what is not named keeps its name.

    `added` maps a target column to its rule: `null`, `any`, `column NAME` (a legacy column) or `= LITERAL`.
    `is_added` says that only the target has the table, by intent.
    """

    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    enums: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    is_added: bool = False


RowMapping = Mapping[str, TableMapping]
"""By legacy table, and by target table where only the target has it."""


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
    enum: Mapping[str, str]


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
    """Legacy columns that the target does not have."""
    key: tuple[SharedColumn, ...]
    """By what rows are aligned: the legacy's key, else the target's, else every shared column."""


def target_table(legacy_table: str, mapping: RowMapping) -> str:
    """The target's name of a legacy table."""
    mapped = mapping.get(legacy_table)
    return (mapped.table if mapped else None) or legacy_table


def plan_table(legacy: TableSchema, target: TableSchema, mapping: TableMapping | None = None) -> TablePlan:
    """Pairs the columns of two tables.

    A column that only the target has is filled by the mapping's rule, else: NULL where it is nullable and has no
    default; the row's `created_at` where it is a NOT NULL timestamp (a row was known from when it was written);
    else the column's default.

    Raises:
        ConfigurationError: the mapping names a column that is not there, or an unknown rule.
    """
    mapped = mapping or TableMapping()
    _check(mapped, legacy, target)
    shared = tuple(
        _share(column, legacy, target, mapped) for column in legacy.column_names if _has(column, mapped, target)
    )
    names = {pair.target.name for pair in shared}
    added = tuple(_add(column, legacy, target, mapped) for column in target.columns if column.name not in names)
    lost = tuple(name for name in legacy.column_names if not _has(name, mapped, target))
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


def _share(name: str, legacy: TableSchema, target: TableSchema, mapped: TableMapping) -> SharedColumn:
    legacy_at = legacy.column_names.index(name)
    target_at = target.column_names.index(mapped.columns.get(name, name))
    column = target.columns[target_at]
    return SharedColumn(
        name=name,
        legacy_at=legacy_at,
        target_at=target_at,
        legacy_family=family_of(legacy.columns[legacy_at].declared_type),
        target=column,
        target_family=family_of(column.declared_type),
        enum=mapped.enums.get(name, {}),
    )


def _add(column: Column, legacy: TableSchema, target: TableSchema, mapped: TableMapping) -> AddedColumn:
    fill, argument = _rule(column, legacy, mapped.added.get(column.name))
    return AddedColumn(target=column, target_at=target.column_names.index(column.name), fill=fill, argument=argument)


def _rule(column: Column, legacy: TableSchema, rule: str | None) -> tuple[Fill, str]:
    if rule is not None:
        return _stated_rule(column, legacy, rule)
    if column.is_nullable and column.default is None:
        return Fill.NULL, ""
    is_time = family_of(column.declared_type) in {Family.MOMENT, Family.INSTANT}
    if is_time and not column.is_nullable and _BIRTH_COLUMN in legacy.column_names:
        return Fill.COLUMN, _BIRTH_COLUMN
    return (Fill.ANY, "") if column.default is not None else (Fill.MISSING, "")


def _stated_rule(column: Column, legacy: TableSchema, rule: str) -> tuple[Fill, str]:
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
    return mapped.columns.get(name, name) in target.column_names


def _key(shared: tuple[SharedColumn, ...], legacy: TableSchema, target: TableSchema) -> tuple[SharedColumn, ...]:
    by_legacy = {pair.name: pair for pair in shared}
    by_target = {pair.target.name: pair for pair in shared}
    if legacy.key and all(name in by_legacy for name in legacy.key):
        return tuple(by_legacy[name] for name in legacy.key)
    if target.key and all(name in by_target for name in target.key):
        return tuple(by_target[name] for name in target.key)
    return shared


def _check(mapped: TableMapping, legacy: TableSchema, target: TableSchema) -> None:
    named = {"columns": mapped.columns, "enums": mapped.enums}
    wrong = [
        (f"{section}.{name}", legacy.name)
        for section, names in named.items()
        for name in names
        if name not in legacy.column_names
    ]
    wrong += [
        (f"columns.{name} = {new!r}", target.name)
        for name, new in mapped.columns.items()
        if new not in target.column_names
    ]
    wrong += [(f"added.{name}", target.name) for name in mapped.added if name not in target.column_names]
    if wrong:
        key, table = wrong[0]
        hint = f"Columns of {table}: correct the mapping."
        raise ConfigurationError(
            "the row mapping names a column that is not there", where=f"[rows.map.{legacy.name}] {key}", hint=hint
        )
