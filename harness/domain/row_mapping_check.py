"""Whether a row mapping fits both schemas: what it names must be there, and nothing may have two counterparts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.domain.cell_rule import OTHERS, UNIT_RULES, is_unit
from harness.domain.errors import ConfigurationError
from harness.domain.row_mapping import RowMapping, TableMapping, carried_tables, target_table
from harness.domain.rows import TableSchema

Schemas = Mapping[str, TableSchema]


def check_tables(mapping: RowMapping, legacy: Schemas, target: Schemas) -> None:
    """Holds the whole mapping against both databases.

    Raises:
        ConfigurationError: it names a table or a column that is not there, gives two of them the same counterpart, or
            has a rule that cannot be used; the first of these, with what there is instead.
    """
    for name, mapped in mapping.items():
        if mapped.is_added or mapped.is_dropped:
            continue
        if name not in legacy:
            raise _absent("table", f"[rows.map.{name}]", f"legacy has no table {name}", legacy)
        if mapped.table is not None and mapped.table not in target:
            where = f"[rows.map.{name}] table = {mapped.table!r}"
            raise _absent("table", where, f"target has no table {mapped.table}", target)
    _require_distinct(
        {name: target_table(name, mapping) for name in carried_tables(legacy, mapping)}, target, "[rows.map]", "table"
    )
    for name in carried_tables(legacy, mapping):
        answering = target_table(name, mapping)
        if name in mapping and answering in target:
            check_table(mapping[name], legacy[name], target[answering])


def check_table(mapped: TableMapping, legacy: TableSchema, target: TableSchema) -> None:
    """Holds one table's mapping against both its schemas.

    Raises:
        ConfigurationError: see `check_tables`.
    """
    section = f"[rows.map.{legacy.name}]"
    for key, name in _legacy_names(mapped):
        if name not in legacy.column_names:
            raise _absent("column", f"{section} {key}", f"legacy's {legacy.name} has no {name}", legacy.column_names)
    for key, name in _target_names(mapped):
        if name not in target.column_names:
            raise _absent("column", f"{section} {key}", f"target's {target.name} has no {name}", target.column_names)
    _require_one_rule(mapped, section)
    answering = {
        name: mapped.columns.get(name, name) for name in legacy.column_names if name not in set(mapped.dropped)
    }
    _require_distinct(answering, target.column_names, section, "column")
    _require_free(mapped, answering, section)
    _require_nullable(mapped, target, section)
    _require_values(mapped, legacy, section)


def _legacy_names(mapped: TableMapping) -> Iterator[tuple[str, str]]:
    for title, names in (("columns", mapped.columns), ("enums", mapped.enums), ("units", mapped.units)):
        yield from ((f"{title}.{name}", name) for name in names)
    yield from ((f"dropped = {name!r}", name) for name in mapped.dropped)


def _target_names(mapped: TableMapping) -> Iterator[tuple[str, str]]:
    yield from ((f"columns.{name} = {new!r}", new) for name, new in mapped.columns.items())
    yield from ((f"added.{name}", name) for name in mapped.added)


def _require_one_rule(mapped: TableMapping, section: str) -> None:
    both = sorted(mapped.enums.keys() & mapped.units.keys())
    if both:
        hint = "Leave one of the two."
        raise ConfigurationError(
            "the row mapping gives a column both an enum and a unit", where=f"{section} {both[0]}", hint=hint
        )
    given = sorted({*mapped.columns, *mapped.enums, *mapped.units} & set(mapped.dropped))
    if given:
        hint = "Take it out of `dropped`, or leave its other keys out."
        raise ConfigurationError(
            "the row mapping drops a column that it also maps", where=f"{section} {given[0]}", hint=hint
        )


def _require_distinct(answering: Mapping[str, str], there: Iterable[str], where: str, kind: str) -> None:
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for name, other in answering.items():
        sources[other].append(name)
    for other in there:
        if len(sources[other]) > 1:
            said = " and ".join(sorted(sources[other]))
            hint = f"Give each {kind} a counterpart of its own, or name the one that is given up in `dropped`."
            raise ConfigurationError(
                f"two {kind}s of the legacy are mapped to one: {said} to the target's {other}", where=where, hint=hint
            )


def _require_free(mapped: TableMapping, answering: Mapping[str, str], section: str) -> None:
    taken = {new: name for name, new in answering.items()}
    for name in mapped.added:
        if name in taken:
            hint = "Leave the rule out, or drop or rename the legacy's column."
            raise ConfigurationError(
                f"the row mapping adds a column that the legacy's {taken[name]} answers for",
                where=f"{section} added.{name}",
                hint=hint,
            )


def _require_nullable(mapped: TableMapping, target: TableSchema, section: str) -> None:
    for column in target.columns:
        if mapped.added.get(column.name, "").strip() == "null" and not column.is_nullable:
            hint = "Give `= LITERAL`, `column NAME`, or `any` where it has a default."
            where = f"{section} added.{column.name}"
            raise ConfigurationError("the rule `null` fills a column that is NOT NULL", where=where, hint=hint)


def _require_values(mapped: TableMapping, legacy: TableSchema, section: str) -> None:
    for name, rule in mapped.units.items():
        if not is_unit(rule):
            hint = f"Units are {UNIT_RULES}, with a positive number."
            raise ConfigurationError(f"the unit {rule!r} cannot be used", where=f"{section} units.{name}", hint=hint)
    for name, labels in mapped.enums.items():
        where = f"{section} enums.{name}"
        if labels.get(OTHERS, OTHERS) != OTHERS:
            hint = 'Write "*" = "*", which lets all other values stay as they are, or name each value.'
            raise ConfigurationError('"*" of an enum can only stand for itself', where=where, hint=hint)
        repeated = [label for label in labels.values() if list(labels.values()).count(label) > 1]
        if repeated and name in legacy.key:
            hint = "Rows are told apart by this column: give each value a label of its own."
            raise ConfigurationError(f"two values of a key are mapped to one: {repeated[0]!r}", where=where, hint=hint)


def _absent(kind: str, where: str, why: str, there: Iterable[str]) -> ConfigurationError:
    names: Sequence[str] = sorted(there) if kind == "table" else list(there)
    hint = f"The {why}; its {'columns are' if kind == 'column' else 'tables are'}: {', '.join(names) or 'none'}."
    return ConfigurationError(f"the row mapping names a {kind} that is not there", where=where, hint=hint)
