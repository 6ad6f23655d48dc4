"""Rows against rows: what a step changed on one side, and what differs between the two sides."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from harness.domain.cell_values import Family, cell_text, cell_value, family_of, key_value, numeric_value
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.pointer import join_pointer
from harness.domain.record import RowChange
from harness.domain.row_plan import AddedColumn, Fill, RowMapping, TablePlan, literal_cell, plan_table, target_table
from harness.domain.rows import Cell, DatabaseState, Row, TableRows, TableSchema

Key = tuple[Cell, ...]
KeyMap = Callable[[str, Key], Key]
_Row = TypeVar("_Row")
_PLAIN = frozenset({type(None), int, float, str})
_NUMBERS = frozenset({"int", "float", "decimal"})


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
    key_map: KeyMap = lambda _table, key: key,
) -> tuple[Difference, ...]:
    """Every difference between the two sides' rows: missing rows, extra rows, and cells of rows aligned by key.

    `key_map` tells which target key a legacy key stands for; it is asked for the legacy's table name. Tables that
    only the target has are differences only if they hold rows, and not at all if the mapping names them as added.

    Raises:
        ConfigurationError: the mapping names a column that is not there.
    """
    mapped = mapping or {}
    found: list[Difference] = []
    for name in sorted(legacy):
        answering = target.get(target_table(name, mapped))
        if answering is None:
            found.append(_missing((name,), DifferenceKind.MISSING, f'"{len(legacy[name].rows)} rows"'))
            continue
        plan = plan_table(legacy[name].schema, answering.schema, mapped.get(name))
        found += _compare_table(plan, legacy[name].rows, answering.rows, key_map)
    known = {target_table(name, mapped) for name in legacy} | {name for name, each in mapped.items() if each.is_added}
    for name in sorted(target.keys() - known):
        schema = target[name].schema
        for row in target[name].rows:
            pointer = (name, _key_token(_key_of(schema, row)))
            found.append(_missing(pointer, DifferenceKind.EXTRA, _row_text(schema, row)))
    return tuple(found)


def compare_cells(
    legacy: Cell, target: Cell, *, legacy_type: str | Family = "", target_type: str | Family = ""
) -> DifferenceKind | None:
    """How two cells differ under their declared types, None if they mean the same.

    NULL, '' and false are three things. 0 and 1 in a BOOLEAN column are booleans. Times are compared as instants,
    to the microsecond. Floats are compared by their bits, a number against a DECIMAL by its text.
    """
    if type(legacy) is type(target) in _PLAIN and legacy == target and legacy != 0:
        return None  # the common case, cheaply; zero has a sign
    legacy_family = legacy_type if isinstance(legacy_type, Family) else family_of(legacy_type)
    target_family = target_type if isinstance(target_type, Family) else family_of(target_type)
    legacy_value, target_value = cell_value(legacy, legacy_family), cell_value(target, target_family)
    if legacy_value == target_value:
        return None
    if {legacy_value[0], target_value[0]} <= _NUMBERS:
        is_decimal = Family.DECIMAL in {legacy_family, target_family}
        return _compare_numbers(legacy, target, by_value=is_decimal)
    return DifferenceKind.VALUE if legacy_value[0] == target_value[0] else DifferenceKind.TYPE


def _compare_numbers(legacy: Cell, target: Cell, *, by_value: bool) -> DifferenceKind | None:
    ours, theirs = numeric_value(legacy), numeric_value(target)
    if ours != theirs or (type(legacy) is type(target) and not by_value):
        return DifferenceKind.VALUE
    return None if by_value else DifferenceKind.REPRESENTATION


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
            yield RowChange(table=table, key=_key_of(before.schema, row), before=row, after=None)


def _keyed(table: TableRows | None) -> Iterator[tuple[Key, Row]]:
    if table is None:
        return
    names = table.schema.column_names
    places = [names.index(name) for name in table.schema.key]
    for row in table.rows:
        yield tuple([row[place] for place in places]) if places else row, row


def _by_key(table: TableRows | None) -> "defaultdict[object, deque[Row]]":
    return _grouped((repr(key), row) for key, row in _keyed(table))


def _compare_table(
    plan: TablePlan, legacy_rows: tuple[Row, ...], target_rows: tuple[Row, ...], key_map: KeyMap
) -> Iterator[Difference]:
    waiting = _grouped((_target_key(plan, row), row) for row in target_rows)
    for name in plan.lost:
        yield _missing((plan.legacy.name, name), DifferenceKind.MISSING, '"column"')
    for row in legacy_rows:
        key = tuple(row[pair.legacy_at] for pair in plan.key)
        mapped = key_map(plan.legacy.name, key)
        candidates = waiting.get(_mapped_key(plan, key, mapped))
        pointer = (plan.legacy.name, _key_token(key))
        if not candidates:
            yield _missing(pointer, DifferenceKind.MISSING, _row_text(plan.legacy, row))
            continue
        yield from _compare_rows(plan, row, candidates.popleft(), pointer, is_mapped=mapped != key)
    for row in (row for rows in waiting.values() for row in rows):
        key = tuple(row[pair.target_at] for pair in plan.key)
        yield _missing((plan.legacy.name, _key_token(key)), DifferenceKind.EXTRA, _row_text(plan.target, row))


def _compare_rows(
    plan: TablePlan, legacy: Row, target: Row, pointer: tuple[str, ...], *, is_mapped: bool
) -> Iterator[Difference]:
    for pair in plan.shared:
        if is_mapped and pair in plan.key:
            continue
        ours, theirs = legacy[pair.legacy_at], target[pair.target_at]
        expected = pair.enum.get(ours, ours) if isinstance(ours, str) else ours
        kind = compare_cells(expected, theirs, legacy_type=pair.legacy_family, target_type=pair.target_family)
        if kind is not None:
            yield _difference((*pointer, pair.name), kind, cell_text(ours), cell_text(theirs))
    for column in plan.added:
        yield from _compare_added(plan, column, legacy, target, pointer)


def _compare_added(
    plan: TablePlan, column: AddedColumn, legacy: Row, target: Row, pointer: tuple[str, ...]
) -> Iterator[Difference]:
    cell = target[column.target_at]
    if column.fill in {Fill.ANY, Fill.MISSING}:
        return
    expected: Cell = None
    legacy_type = column.target.declared_type
    if column.fill is Fill.LITERAL:
        expected = literal_cell(column.argument, family_of(legacy_type))
    elif column.fill is Fill.COLUMN:
        source = plan.legacy.column_names.index(column.argument)
        expected, legacy_type = legacy[source], plan.legacy.columns[source].declared_type
    kind = compare_cells(expected, cell, legacy_type=legacy_type, target_type=column.target.declared_type)
    if kind is not None:
        yield _difference((*pointer, column.target.name), kind, cell_text(expected), cell_text(cell))


def _target_key(plan: TablePlan, row: Row) -> object:
    return tuple(key_value(row[pair.target_at], pair.target_family) for pair in plan.key)


def _mapped_key(plan: TablePlan, key: Key, mapped: Key) -> object:
    families = (pair.legacy_family if mapped is key or mapped == key else pair.target_family for pair in plan.key)
    return tuple(key_value(cell, family) for cell, family in zip(mapped, families, strict=True))


def _key_of(schema: TableSchema, row: Row) -> Key:
    if not schema.key:
        return row
    return tuple(row[schema.column_names.index(name)] for name in schema.key)


def _key_token(key: Key) -> str:
    """A key as one pointer token: JSON, so that no two keys look alike."""
    return cell_text(key[0]) if len(key) == 1 else "[" + ",".join(map(cell_text, key)) + "]"


def _row_text(schema: TableSchema, row: Row) -> str:
    cells = (f"{cell_text(name)}:{cell_text(cell)}" for name, cell in zip(schema.column_names, row, strict=True))
    return "{" + ",".join(cells) + "}"


def _grouped(pairs: Iterator[tuple[object, _Row]]) -> "defaultdict[object, deque[_Row]]":
    groups: defaultdict[object, deque[_Row]] = defaultdict(deque)
    for key, row in pairs:
        groups[key].append(row)
    return groups


def _missing(pointer: tuple[str, ...], kind: DifferenceKind, text: str) -> Difference:
    is_missing = kind is DifferenceKind.MISSING
    return _difference(pointer, kind, text if is_missing else None, None if is_missing else text)


def _difference(pointer: tuple[str, ...], kind: DifferenceKind, legacy: str | None, target: str | None) -> Difference:
    return Difference(facet=Facet.ROW, pointer=join_pointer(pointer), kind=kind, legacy=legacy, target=target)
