"""Columns against columns: types, nullability, defaults, collations."""

from collections.abc import Iterator

from harness.domain.cell_values import family_of
from harness.domain.difference import Difference, DifferenceKind
from harness.domain.schema.facts import ColumnFacts, DatabaseKind
from harness.domain.schema.forms import default_form
from harness.domain.schema.pair import TablePair, difference
from harness.domain.schema.types import holding_types


def compare_columns(pair: TablePair) -> Iterator[Difference]:
    """Every difference, in the legacy's order; a column that only the target has is one unless a rule fills it."""
    theirs = {column.name: column for column in pair.target.columns}
    for column in pair.legacy.columns:
        if column.name in pair.mapping.dropped:
            continue
        other = theirs.pop(pair.mapping.columns.get(column.name, column.name), None)
        place = (pair.name, "columns", column.name)
        if other is None:
            yield difference(place, DifferenceKind.MISSING, _told(column), None)
        else:
            yield from _compare_column(pair, place, column, other)
    for name, column in theirs.items():
        if name not in pair.mapping.added:
            yield difference((pair.name, "columns", name), DifferenceKind.EXTRA, None, _told(column))


def _compare_column(
    pair: TablePair, place: tuple[str, ...], legacy: ColumnFacts, target: ColumnFacts
) -> Iterator[Difference]:
    if not _has_fitting_type(pair, legacy, target):
        yield difference((*place, "type"), DifferenceKind.TYPE, legacy.declared_type or "no type", target.declared_type)
    if legacy.is_nullable != target.is_nullable:
        texts = ["NULL" if each.is_nullable else "NOT NULL" for each in (legacy, target)]
        yield difference((*place, "nullable"), DifferenceKind.VALUE, *texts)
    if not _has_same_default(pair, legacy, target):
        yield difference((*place, "default"), _kind_of(legacy.default, target.default), legacy.default, target.default)
    if None not in {legacy.collation, target.collation} and legacy.collation != target.collation:
        yield difference((*place, "collation"), DifferenceKind.VALUE, legacy.collation, target.collation)


def _has_fitting_type(pair: TablePair, legacy: ColumnFacts, target: ColumnFacts) -> bool:
    if legacy.name in pair.mapping.units or pair.mapping.enums.get(legacy.name):
        return True  # the row mapping says which value stands for which, and rows are held to it
    if pair.is_from_sqlite:
        return target.declared_type in holding_types(legacy.declared_type)
    return legacy.declared_type == target.declared_type


def _has_same_default(pair: TablePair, legacy: ColumnFacts, target: ColumnFacts) -> bool:
    if legacy.default == target.default and not pair.is_from_sqlite:
        return True
    forms = [
        default_form(column.default, family_of(column.declared_type), naming, is_sqlite=kind is DatabaseKind.SQLITE)
        for column, kind, naming in zip((legacy, target), pair.kinds, pair.naming, strict=True)
    ]
    return forms[0] == forms[1]


def _kind_of(legacy: str | None, target: str | None) -> DifferenceKind:
    if legacy is not None and target is not None:
        return DifferenceKind.VALUE
    return DifferenceKind.MISSING if target is None else DifferenceKind.EXTRA


def _told(column: ColumnFacts) -> str:
    return f"{column.declared_type or 'no type'}{'' if column.is_nullable else ' NOT NULL'}"
