"""Rows against rows: what a step changed on one side, and what differs between the two sides."""

from collections import defaultdict, deque
from collections.abc import Iterator

from harness.domain.compare_blocks import KeyMap, compare_block
from harness.domain.difference import Difference
from harness.domain.record import RowChange
from harness.domain.row_difference import Key, extra_row, key_of, missing_column, missing_rows
from harness.domain.row_mapping import RowMapping, carried_tables, target_table
from harness.domain.row_mapping_check import check_tables
from harness.domain.row_plan import plan_table
from harness.domain.rows import DatabaseState, Row, TableRows


def diff_states(before: DatabaseState, after: DatabaseState) -> tuple[RowChange, ...]:
    """What changed on one side, by table and key; cells are compared with their types, never with `==`."""
    changes: list[RowChange] = []
    for table in sorted(before.keys() | after.keys()):
        changes += _diff_table(table, before.get(table), after.get(table))
    return tuple(changes)


def compare_states(
    legacy: DatabaseState,
    target: DatabaseState,
    *,
    mapping: RowMapping | None = None,
    key_map: KeyMap | None = None,
) -> tuple[Difference, ...]:
    """Every difference between the two sides' rows: missing rows, extra rows, and cells of rows aligned by key.

    `key_map` tells which target key a legacy key stands for; it is asked for the legacy's table name. Tables that
    only the target has are differences only if they hold rows, and not at all if the mapping names them as added.

    Raises:
        ConfigurationError: the mapping does not fit the two databases.
    """
    mapped = mapping or {}
    check_tables(mapped, *({name: table.schema for name, table in state.items()} for state in (legacy, target)))
    found: list[Difference] = []
    carried = carried_tables(legacy, mapped)
    for name in carried:
        answering = target.get(target_table(name, mapped))
        if answering is None:
            found.append(missing_rows(name, f'"{len(legacy[name].rows)} rows"'))
            continue
        plan = plan_table(legacy[name].schema, answering.schema, mapped.get(name))
        found += (missing_column(name, lost) for lost in plan.lost)
        found += compare_block(plan, legacy[name].rows, answering.rows, key_map).differences
    known = {target_table(name, mapped) for name in carried} | {name for name, each in mapped.items() if each.is_added}
    for name in sorted(target.keys() - known):
        schema = target[name].schema
        found += (extra_row(name, schema, key_of(schema, row), row) for row in target[name].rows)
    return tuple(found)


def _diff_table(table: str, before: TableRows | None, after: TableRows | None) -> Iterator[RowChange]:
    # Most steps leave most tables alone: one text of all rows costs far less than their keys.
    if before is not None and after is not None and repr(before) == repr(after):
        return
    old = _by_key(before)
    for schema_key, new_row in _keyed(after):
        waiting = old.get(repr(schema_key))
        old_row = waiting.popleft() if waiting else None
        # repr tells 1, 1.0, True, '1' and -0.0 apart, and takes NaN for NaN.
        if old_row is None or repr(old_row) != repr(new_row):
            yield RowChange(table=table, key=schema_key, before=old_row, after=new_row)
    if before is not None:
        for row in (row for rows in old.values() for row in rows):
            yield RowChange(table=table, key=key_of(before.schema, row), before=row, after=None)


def _keyed(table: TableRows | None) -> Iterator[tuple[Key, Row]]:
    if table is None:
        return
    names = table.schema.column_names
    places = [names.index(name) for name in table.schema.key]
    for row in table.rows:
        yield tuple([row[place] for place in places]) if places else row, row


def _by_key(table: TableRows | None) -> "defaultdict[object, deque[Row]]":
    groups: defaultdict[object, deque[Row]] = defaultdict(deque)
    for key, row in _keyed(table):
        groups[repr(key)].append(row)
    return groups
