"""Defects of state: writes lost, doubled, misplaced, and values that only the database shows."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from msgspec import structs

from harness.domain.compare.rows import key_pointer
from harness.domain.difference import DifferenceKind, Facet
from harness.domain.record import RowChange, SessionRecord
from harness.domain.rows import Cell, TableSchema
from harness.domain.sabotage.defect import Defect, Planted

_MISSING, _EXTRA, _VALUE = DifferenceKind.MISSING, DifferenceKind.EXTRA, DifferenceKind.VALUE
Changes = tuple[RowChange, ...]


def _is_insert(change: RowChange) -> bool:
    return change.before is None


def _is_update(change: RowChange) -> bool:
    return change.before is not None and change.after is not None


def _is_delete(change: RowChange) -> bool:
    return change.after is None


def _write_defect(
    name: str,
    title: str,
    wants: Callable[[RowChange], bool],
    edit: Callable[[RowChange], Iterable[RowChange]],
    kind: DifferenceKind,
) -> Defect:
    """Puts other changes in place of the target's first change of a sort."""

    def plant(record: SessionRecord) -> Planted | None:
        for n, step in enumerate(record.steps):
            if step.target_changes and wants(step.target_changes[0]):
                first, *rest = step.target_changes
                changed = structs.replace(step, target_changes=(*edit(first), *rest))
                edited = replace(record, steps=(*record.steps[:n], changed, *record.steps[n + 1 :]))
                pointer, kinds = key_pointer(first.table, first.key), frozenset({kind})
                if kind is _VALUE:  # a lost update shows in what it should have changed
                    kinds |= {DifferenceKind.TYPE}
                    pointer = f"{pointer}/{_changed_column(record.target_schemas[first.table], first)}"
                return Planted(record=edited, step=n, facet=Facet.ROW, pointer=pointer, kinds=kinds)
        return None

    return Defect(name=name, title=title, facet=Facet.ROW, plant=plant)


def _changed_column(schema: TableSchema, change: RowChange) -> str:
    pairs = zip(schema.column_names, change.before or (), change.after or (), strict=False)
    return next((name for name, before, after in pairs if before != after and not name.endswith("_at")), "")


def _cell_defect(
    name: str, title: str, wants: Callable[[Cell], bool], edit: Callable[[Cell], Cell], *kinds: DifferenceKind
) -> Defect:
    """Changes one cell of the first row that the target inserts."""

    def plant(record: SessionRecord) -> Planted | None:
        for n, step in enumerate(record.steps):
            for position, change in enumerate(step.target_changes):
                schema = record.target_schemas[change.table]
                column = _find_cell(schema, change, wants)
                if column is None or change.after is None:
                    continue
                row = (*change.after[:column], edit(change.after[column]), *change.after[column + 1 :])
                changes = list(step.target_changes)
                changes[position] = replace(change, after=row)
                changed = structs.replace(step, target_changes=tuple(changes))
                edited = replace(record, steps=(*record.steps[:n], changed, *record.steps[n + 1 :]))
                pointer = f"{key_pointer(change.table, change.key)}/{schema.column_names[column]}"
                return Planted(record=edited, step=n, facet=Facet.ROW, pointer=pointer, kinds=frozenset(kinds))
        return None

    return Defect(name=name, title=title, facet=Facet.ROW, plant=plant)


def _find_cell(schema: TableSchema, change: RowChange, wants: Callable[[Cell], bool]) -> int | None:
    if change.before is not None or change.after is None:
        return None
    cells = enumerate(zip(schema.column_names, change.after, strict=False))
    return next((n for n, (name, cell) in cells if name not in schema.key and wants(cell)), None)


def _elsewhere(change: RowChange) -> RowChange:
    return replace(change, key=(int(str(change.key[0])) + 5000,))


def _plant_ghost_write(record: SessionRecord) -> Planted | None:
    """A read that writes."""
    inserts = [change for step in record.steps for change in step.target_changes if _is_insert(change)]
    for n, step in enumerate(record.steps):
        if inserts and step.pair.target.request.method == "GET":
            ghost = _elsewhere(inserts[0])
            changed = structs.replace(step, target_changes=(ghost,))
            edited = replace(record, steps=(*record.steps[:n], changed, *record.steps[n + 1 :]))
            pointer = key_pointer(ghost.table, ghost.key)
            return Planted(record=edited, step=n, facet=Facet.ROW, pointer=pointer, kinds=frozenset({_EXTRA}))
    return None


def _is_text(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) > 2 and cell.isalpha()


def _later(cell: Cell) -> Cell:
    return cell + timedelta(hours=10) if isinstance(cell, datetime) else cell


WRITE_DEFECTS: tuple[Defect, ...] = (
    _write_defect("lost-insert", "the commit is missing", _is_insert, lambda _: (), _MISSING),
    _write_defect("doubled-insert", "a retry writes twice", _is_insert, lambda c: (c, _elsewhere(c)), _EXTRA),
    _write_defect("lost-update", "an update is not stored", _is_update, lambda _: (), _VALUE),
    _write_defect("lost-delete", "a delete is not stored", _is_delete, lambda _: (), _EXTRA),
    _write_defect("delete-for-update", "an update deletes", _is_update, lambda c: (replace(c, after=None),), _MISSING),
    _write_defect("delete-twice", "a delete takes two rows", _is_delete, lambda c: (c, _elsewhere(c)), _MISSING),
    _cell_defect("stored-case", "stored in another case", _is_text, lambda c: str(c).swapcase(), _VALUE),
    _cell_defect("stored-cut", "stored cut short", _is_text, lambda c: str(c)[:-1], _VALUE),
    _cell_defect("stored-null", "stored as NULL", _is_text, lambda _: None, DifferenceKind.TYPE),
    _cell_defect("stored-empty", "NULL stored as ''", lambda c: c is None, lambda _: "", DifferenceKind.TYPE),
    _cell_defect("stored-false", "NULL stored as false", lambda c: c is None, lambda _: False, DifferenceKind.TYPE),
    _cell_defect(
        "stored-rounded",
        "a number rounded",
        lambda c: isinstance(c, float) and c % 1 != 0,
        lambda c: float(int(str(c).partition(".")[0])),
        _VALUE,
    ),
    _cell_defect("stored-text", "a number as text", lambda c: isinstance(c, float), str, DifferenceKind.TYPE),
    _cell_defect(
        "stored-zone",
        "a moment in another zone",
        lambda c: isinstance(c, datetime),
        _later,
        _VALUE,
        DifferenceKind.CLOCK,
    ),
    Defect(name="ghost-write", title="a read writes", facet=Facet.ROW, plant=_plant_ghost_write),
)
