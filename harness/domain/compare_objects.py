"""Objects against objects: keys, schema, types, index and every value; NaN equals NaN. Order of columns is left open,
since values are found by their column's name; order of rows is not.
"""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isnan
from struct import pack

from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.objects import (
    NOTHING,
    Cells,
    ObjectColumn,
    ObjectContent,
    ObjectState,
    OpaqueObject,
    TableObject,
    UnreadableObject,
)
from harness.domain.pointer import join_pointer

Place = tuple[str, ...]


def compare_objects(legacy: ObjectState, target: ObjectState) -> Iterator[Difference]:
    """Every difference, by key and then by the legacy's order of columns; `/key/column/row` points to a value."""
    for key in sorted(legacy.keys() | target.keys()):
        place = (key,)
        if key not in target:
            yield _difference(place, DifferenceKind.MISSING, _told(legacy[key]), None)
        elif key not in legacy:
            yield _difference(place, DifferenceKind.EXTRA, None, _told(target[key]))
        else:
            yield from _compare_contents(place, legacy[key], target[key])


def _compare_contents(place: Place, legacy: ObjectContent, target: ObjectContent) -> Iterator[Difference]:
    if isinstance(legacy, TableObject) and isinstance(target, TableObject):
        yield from _compare_tables(place, legacy, target)
    elif isinstance(legacy, UnreadableObject) or isinstance(target, UnreadableObject):
        yield _difference(place, DifferenceKind.UNREADABLE, _told(legacy), _told(target))
    elif legacy != target:
        yield _difference(place, DifferenceKind.VALUE, _told(legacy), _told(target))


def _compare_tables(place: Place, legacy: TableObject, target: TableObject) -> Iterator[Difference]:
    if _named(legacy) != _named(target):
        yield _difference(place, DifferenceKind.IDENTITY, _named(legacy), _named(target))
        return
    theirs, ours = ({column.name: column for column in table.columns} for table in (legacy, target))
    yield from _compare_types(place, theirs, ours)
    shared = [name for name in theirs if name in ours and theirs[name].type == ours[name].type]
    if not set(legacy.index) <= set(shared):
        return  # rows of another kind of label cannot be paired
    labels = _labels(legacy), _labels(target)
    if labels[0] == labels[1]:
        for name in shared:
            yield from _compare_cells((*place, name), theirs[name], ours[name], labels[0])
    else:
        yield from _compare_by_label(place, [(theirs[name], ours[name]) for name in shared], labels)


def _compare_types(
    place: Place, theirs: Mapping[str, ObjectColumn], ours: Mapping[str, ObjectColumn]
) -> Iterator[Difference]:
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name not in ours:
            yield _difference((*place, name), DifferenceKind.MISSING, theirs[name].type, None)
        elif name not in theirs:
            yield _difference((*place, name), DifferenceKind.EXTRA, None, ours[name].type)
        elif theirs[name].type != ours[name].type:
            yield _difference((*place, name), DifferenceKind.TYPE, theirs[name].type, ours[name].type)
        elif theirs[name].dtype != ours[name].dtype:
            texts = (f"{each.type} read as {each.dtype}" for each in (theirs[name], ours[name]))
            yield _difference((*place, name), DifferenceKind.TYPE, *texts)


def _compare_cells(
    place: Place, legacy: ObjectColumn, target: ObjectColumn, labels: Sequence[str]
) -> Iterator[Difference]:
    if _packed(legacy.cells) == _packed(target.cells):
        return
    for label, theirs, ours in zip(labels, legacy.cells, target.cells, strict=True):
        if _text(theirs) != _text(ours):
            yield _difference((*place, label), DifferenceKind.VALUE, _text(theirs), _text(ours))


def _compare_by_label(
    place: Place, columns: Sequence[tuple[ObjectColumn, ObjectColumn]], labels: tuple[Sequence[str], Sequence[str]]
) -> Iterator[Difference]:
    legacy_rows, target_rows = ({label: row for row, label in enumerate(side)} for side in labels)
    yield from _compare_labels(place, legacy_rows, target_rows)
    for theirs, ours in columns:
        for label in (label for label in legacy_rows if label in target_rows):
            texts = _text(theirs.cells[legacy_rows[label]]), _text(ours.cells[target_rows[label]])
            if texts[0] != texts[1]:
                yield _difference((*place, theirs.name, label), DifferenceKind.VALUE, *texts)


def _compare_labels(place: Place, legacy: Collection[str], target: Collection[str]) -> Iterator[Difference]:
    for label in legacy:
        if label not in target:
            yield _difference((*place, "", label), DifferenceKind.MISSING, label, None)
    for label in target:
        if label not in legacy:
            yield _difference((*place, "", label), DifferenceKind.EXTRA, None, label)
    if [label for label in legacy if label in target] != [label for label in target if label in legacy]:
        yield _difference(place, DifferenceKind.ORDER, "rows", "the same rows in another order")


def _labels(table: TableObject) -> list[str]:
    """A name for each row: its index values, else its number; repeated ones are numbered."""
    named = [column for column in table.columns if column.name in table.index]
    if not named:
        return [str(row) for row in range(table.row_count)]
    labels: list[str] = []
    seen: dict[str, int] = {}
    for values in zip(*(column.cells for column in named), strict=True):
        # With several columns, ("a,b", "c") and ("a", "b,c") are two labels.
        texts = (str(value) for value in values)
        label = ",".join(texts if len(named) == 1 else (_escaped(text) for text in texts))
        seen[label] = seen.get(label, 0) + 1
        labels.append(label if seen[label] == 1 else f"{label}#{seen[label]}")
    return labels


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(",", "\\,")


def _packed(cells: Cells) -> object:
    return cells.tobytes() if isinstance(cells, array) else cells


def _text(cell: float | str | None) -> str:
    is_null = cell is None or (isinstance(cell, float) and isnan(cell) and pack(">d", cell) == NOTHING)
    return "null" if is_null else repr(cell)


def _told(content: ObjectContent) -> str:
    match content:
        case TableObject():
            return f"{content.row_count} rows, {len(content.columns)} columns"
        case OpaqueObject():
            return f"{content.size_bytes} bytes, sha256 {content.sha256}"
        case UnreadableObject():
            return content.reason


def _named(table: TableObject) -> str:
    return f"index {', '.join(table.index) or 'none'}{table.numbering and f', {table.numbering}'}"


def _difference(place: Place, kind: DifferenceKind, legacy: str | None, target: str | None) -> Difference:
    return Difference(facet=Facet.OBJECT, pointer=join_pointer(place), kind=kind, legacy=legacy, target=target)
