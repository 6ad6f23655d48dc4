"""Two schemas against each other: every declaration of the legacy's that the target lacks, and the other way round."""

from collections.abc import Iterator

from harness.domain.difference import Difference, DifferenceKind
from harness.domain.row_mapping import RowMapping, TableMapping, carried_tables, target_table
from harness.domain.schema.columns import compare_columns
from harness.domain.schema.facts import SchemaFacts, TableFacts
from harness.domain.schema.pair import TablePair, difference
from harness.domain.schema.parts import compare_checks, compare_foreign_keys, compare_indexes, compare_sequences


def compare_schemas(legacy: SchemaFacts, target: SchemaFacts, mapping: RowMapping) -> Iterator[Difference]:
    """Every difference, by the legacy's names: `/table/columns/name/type`, `/table/indexes/a, b`, and so on.

    Tables and columns that the mapping drops, and tables that it names as added, are not looked at, nor are columns
    that it gives a rule for. Names of constraints and indexes, and the order of columns, say nothing.
    """
    carried = carried_tables(legacy.tables, mapping)
    for name in carried:
        other = target.tables.get(target_table(name, mapping))
        if other is None:
            yield difference((name,), DifferenceKind.MISSING, _told(legacy.tables[name]), None)
            continue
        pair = TablePair(
            legacy=legacy.tables[name],
            target=other,
            mapping=mapping.get(name, TableMapping()),
            tables={each: target_table(each, mapping) for each in legacy.tables},
            kinds=(legacy.kind, target.kind),
        )
        yield from compare_columns(pair)
        yield from _compare_keys(pair)
        yield from compare_indexes(pair)
        yield from compare_checks(pair)
        yield from compare_foreign_keys(pair)
        yield from compare_sequences(pair)
    known = {target_table(name, mapping) for name in carried}
    known |= {name for name, each in mapping.items() if each.is_added}
    for name in sorted(target.tables.keys() - known):
        yield difference((name,), DifferenceKind.EXTRA, None, _told(target.tables[name]))


def _compare_keys(pair: TablePair) -> Iterator[Difference]:
    ours, theirs = pair.legacy.primary_key, pair.target.primary_key
    if pair.renamed(ours) != theirs:
        kind = DifferenceKind.VALUE if ours and theirs else DifferenceKind.MISSING if ours else DifferenceKind.EXTRA
        yield difference((pair.name, "primary_key"), kind, ", ".join(ours) or None, ", ".join(theirs) or None)


def _told(table: TableFacts) -> str:
    return f"table of {len(table.columns)} columns"
