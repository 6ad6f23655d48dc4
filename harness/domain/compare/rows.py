"""Compares the rows that one step changed on both sides, keys translated by identity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from harness.domain.cell_rule import NO_RULE
from harness.domain.compare.cells import (
    ColumnPair,
    RowMapping,
    TablePair,
    cell_clock,
    cell_kind,
    cell_text,
    expected_cell,
    pair_tables,
    row_text,
    spelled_cell,
)
from harness.domain.compare.document import to_text
from harness.domain.compare.pairing import pair_inserts
from harness.domain.compare.pointer import to_pointer
from harness.domain.compare.rekey import is_id_name, may_name_one_row
from harness.domain.compare.relation import Moment
from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.identity import Identity
from harness.domain.record import RowChange, StepRecord
from harness.domain.rows import Cell, Row, TableSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFindings:
    """What differs in the changed rows; `noisy` holds clock cells that each side read in its own time."""

    different: tuple[Difference, ...] = ()
    noisy: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowContext:
    """What row comparison needs to know of the session so far."""

    legacy_schemas: Mapping[str, TableSchema]
    target_schemas: Mapping[str, TableSchema]
    mapping: RowMapping
    identity: Identity
    moment: Moment
    known_noise: frozenset[tuple[str, str]] = frozenset()
    """Pairs of JSON texts that this step's answers showed to be the same noisy value."""


def compare_changes(record: StepRecord, context: RowContext) -> RowFindings:
    """Every row that the step left different: the pointer is `/table/legacy key/column`.

    A write that only one side made is MISSING or EXTRA at the row for an insert or a delete, and per column for an
    update.
    """
    if not record.legacy_changes and not record.target_changes:
        return RowFindings()
    different: list[Difference] = []
    noisy: list[Difference] = []
    mine, theirs = _by_table(record.legacy_changes), _by_table(record.target_changes)
    tables = mine.keys() | {context.mapping.legacy_table(name) for name in theirs}
    for table in sorted(tables):
        name = context.mapping.target_table(table)
        legacy_schema, target_schema = context.legacy_schemas.get(table), context.target_schemas.get(name)
        if legacy_schema is None or target_schema is None:
            different += _unmatched_table(table, mine.get(table, []), theirs.get(name, []), context)
            continue
        pair = pair_tables(legacy_schema, target_schema, context.mapping)
        for found in _pair_changes(mine.get(table, []), theirs.get(name, []), pair, context):
            _compare_change(*found, pair, context, different, noisy)
    return RowFindings(different=tuple(different), noisy=tuple(noisy))


def key_pointer(table: str, key: Sequence[Cell]) -> str:
    """The pointer of a row: composite keys are joined by commas, each part as JSON text where it is not plain."""
    return to_pointer((table, ",".join(part if isinstance(part, str) else cell_text(part) for part in key)))


def _by_table(changes: Sequence[RowChange]) -> dict[str, list[RowChange]]:
    grouped: dict[str, list[RowChange]] = {}
    for change in changes:
        grouped.setdefault(change.table, []).append(change)
    return grouped


ChangePair = tuple[RowChange | None, RowChange | None]


def _pair_changes(
    mine: list[RowChange], theirs: list[RowChange], pair: TablePair, context: RowContext
) -> list[ChangePair]:
    inserted = [[change for change in changes if change.before is None] for changes in (mine, theirs)]
    paired: list[ChangePair] = list(pair_inserts(inserted[0], inserted[1], pair))
    used = {id(change) for changes in paired for change in changes}
    left = [[change for change in changes if id(change) not in used] for changes in (mine, theirs)]
    families = {column.name: column.family for column in pair.columns}
    spelled = [families.get(name, "") for name in pair.legacy.key]
    by_key = {_comparable(change.key, spelled): change for change in left[1]}
    rules = {column.name: column.rule for column in pair.columns if column.is_key and column.rule}
    for change in left[0]:
        image = tuple(_image(pair.legacy.name, part, context) for part in change.key)
        if rules:
            ruled = zip(pair.legacy.key, image, strict=True)
            image = tuple(rules[name].find(part)[0] if name in rules else part for name, part in ruled)
        paired.append((change, by_key.pop(_comparable(image, spelled), None)))
    return [*paired, *((None, change) for change in by_key.values())]


def _image(table: str, part: Cell, context: RowContext) -> Cell:
    is_key = isinstance(part, int | str) and not isinstance(part, bool)
    return context.identity.image(table, part) if is_key else part  # type: ignore[arg-type]


def _comparable(key: Sequence[Cell], families: Sequence[str]) -> tuple[str, ...]:
    return tuple(cell_text(spelled_cell(part, family)) for part, family in zip_longest(key, families, fillvalue=""))


def _compare_change(  # noqa: PLR0913, PLR0917 - both sides, what they are and where findings go
    mine: RowChange | None,
    theirs: RowChange | None,
    pair: TablePair,
    context: RowContext,
    different: list[Difference],
    noisy: list[Difference],
) -> None:
    legacy, target = _after(mine, theirs, pair, context, is_legacy=True), _after(theirs, mine, pair, context)
    change = mine if mine is not None else theirs
    if change is None or (legacy is None and target is None):
        return
    pointer = key_pointer(pair.legacy.name, change.key)
    if legacy is None or target is None:
        kind = DifferenceKind.MISSING if target is None else DifferenceKind.EXTRA
        texts = (row_text(pair.legacy, legacy) if legacy else None, row_text(pair.target, target) if target else None)
        different.append(_difference(pointer, kind, *texts))
        return
    stated = pair.added if mine is not None and theirs is not None else ()
    for column in (*pair.columns, *stated):
        here = column.literal if column.legacy_index < 0 else legacy[column.legacy_index]
        there = target[column.target_index]
        # A row that only the target touched is taken from there, and so is in the target's terms already.
        judged = replace(column, rule=NO_RULE) if mine is None and column.rule else column
        found = _cell_difference(judged, here, there, pair, context)
        if found is None or _differed_before(column, mine, theirs, (here, there)):
            continue
        kind, is_noisy = found
        where = f"{pointer}/{column.name}"
        (noisy if is_noisy else different).append(_difference(where, kind, cell_text(here), cell_text(there)))


def _after(
    own: RowChange | None, other: RowChange | None, pair: TablePair, context: RowContext, is_legacy: bool = False
) -> Row | None:
    """The row after the step. A side that did not touch it has what the other side had before, keys translated."""
    if own is not None:
        return own.after
    if other is None or other.before is None:
        return None
    source, size = other.before, len((pair.legacy if is_legacy else pair.target).columns)
    row: list[Cell] = [None] * size
    for column in pair.columns:
        here, there = column.legacy_index, column.target_index
        row[here if is_legacy else there] = source[there] if is_legacy else expected_cell(column, source[here])
    return tuple(row)


def _cell_difference(
    column: ColumnPair, legacy: Cell, target: Cell, pair: TablePair, context: RowContext
) -> tuple[DifferenceKind, bool] | None:
    """How two cells differ and whether that is noise; None where they agree or identity explains them."""
    kind = cell_kind(column, legacy, target)
    if kind is None or (is_id_name(column.name) and context.identity.is_pair(legacy, target)):
        return None
    if column.is_key and _is_own_key(column, legacy, target, pair):
        return None
    if (cell_text(legacy), cell_text(target)) in context.known_noise:
        return kind, True
    problem = _clock_problem(column, expected_cell(column, legacy), target, context)
    if problem is None:
        return kind, False
    return (DifferenceKind.CLOCK, False) if problem else (kind, True)


def _is_own_key(column: ColumnPair, legacy: Cell, target: Cell, pair: TablePair) -> bool:
    """Whether a key is each side's own: of several columns only the one that an id's name says to be generated."""
    is_free = len(pair.legacy.key) == 1 or is_id_name(column.name)
    return is_free and may_name_one_row(legacy, target)


def _clock_problem(column: ColumnPair, legacy: Cell, target: Cell, context: RowContext) -> str | None:
    """None where the cells are no clocks of this session; empty where both clocks agree."""
    mine, theirs = cell_clock(legacy, context.moment.zone), cell_clock(target, context.moment.zone)
    if column.family != "clock" or mine is None or theirs is None:
        return None
    moment = context.moment
    if not mine.may_lie_in(moment.timelines.legacy.session(moment.step)):
        return None
    if bool(mine.at.microsecond) != bool(theirs.at.microsecond):
        return "the clocks are stored with different precision"
    return moment.timelines.clock_problem(mine, theirs, moment.step, ("row", column.name))


def _differed_before(
    column: ColumnPair, mine: RowChange | None, theirs: RowChange | None, now: tuple[Cell, Cell]
) -> bool:
    """Whether neither side touched the cell in this step, so that an earlier step has to answer for it."""
    if mine is None or theirs is None or mine.before is None or theirs.before is None:
        return False
    if column.legacy_index < 0:
        return _is_same_cell(theirs.before[column.target_index], now[1])
    before = mine.before[column.legacy_index], theirs.before[column.target_index]
    return all(_is_same_cell(a, b) for a, b in zip(before, now, strict=True))


def _is_same_cell(first: Cell, second: Cell) -> bool:
    return type(first) is type(second) and cell_text(first) == cell_text(second)


def _unmatched_table(
    table: str, mine: list[RowChange], theirs: list[RowChange], context: RowContext
) -> list[Difference]:
    """Changes in a table that only one side has."""
    if table in context.mapping.dropped or context.mapping.target_table(table) in context.mapping.added:
        return []
    found = []
    for legacy, target in zip_longest(mine, theirs):
        change = legacy or target
        if change is not None and change.after is not None:
            kind = DifferenceKind.EXTRA if legacy is None else DifferenceKind.MISSING
            text = to_text([cell_text(cell) for cell in change.after])
            sides = (None, text) if legacy is None else (text, None)
            found.append(_difference(key_pointer(table, change.key), kind, *sides))
    return found


def _difference(pointer: str, kind: DifferenceKind, legacy: str | None, target: str | None) -> Difference:
    return Difference(facet=Facet.ROW, pointer=pointer, kind=kind, legacy=legacy, target=target)
