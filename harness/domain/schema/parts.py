"""What a table has beside its columns: indexes, checks, foreign keys, sequences."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from harness.domain.cell_values import Family, family_of
from harness.domain.difference import Difference, DifferenceKind
from harness.domain.schema.expression import Form
from harness.domain.schema.facts import ForeignKeyFacts, IndexFacts
from harness.domain.schema.forms import Naming, expression_form, term_form
from harness.domain.schema.pair import TablePair, difference


def compare_indexes(pair: TablePair) -> Iterator[Difference]:
    """Indexes over the same terms are one: what one side has twice, the other may have once."""
    ours, theirs = (
        _by_terms(*each) for each in zip((pair.legacy.indexes, pair.target.indexes), pair.naming, strict=True)
    )
    for form in [*ours, *(form for form in theirs if form not in ours)]:
        sides = [_told_indexes(side.get(form, ())) for side in (ours, theirs)]
        if sides[0] != sides[1]:
            place = (pair.name, "indexes", ", ".join((ours.get(form) or theirs[form])[0].terms))
            yield difference(place, _kind_of(*sides), sides[0] or None, sides[1] or None)


def compare_checks(pair: TablePair) -> Iterator[Difference]:
    """Checks are the same where their expressions have one form; that a BOOLEAN is 0 or 1, its type says."""
    ours = {text: expression_form(text, pair.naming[0]) for text in pair.legacy.checks}
    theirs = {text: expression_form(text, pair.naming[1]) for text in pair.target.checks}
    flags = [each.name for each in pair.legacy.columns if family_of(each.declared_type) is Family.BOOLEAN]
    implied: set[Form] = {("in", name.lower(), "0", "1") for name in pair.renamed(flags)}
    yield from (
        difference((pair.name, "checks", text), DifferenceKind.MISSING, text, None)
        for text in _lacking(ours, theirs)
        if ours[text] not in implied
    )
    yield from (
        difference((pair.name, "checks", text), DifferenceKind.EXTRA, None, text) for text in _lacking(theirs, ours)
    )


def compare_foreign_keys(pair: TablePair) -> Iterator[Difference]:
    """References by their columns: to which table and columns, and what a change there does here."""
    ours = {pair.renamed(each.columns): each for each in pair.legacy.foreign_keys}
    theirs = {each.columns: each for each in pair.target.foreign_keys}
    for columns in [*ours, *(each for each in theirs if each not in ours)]:
        expected = [_told_reference(ours[columns], pair.tables)] if columns in ours else []
        found = [_told_reference(theirs[columns], {})] if columns in theirs else []
        if expected != found:
            named = ours[columns].columns if columns in ours else columns
            place = (pair.name, "foreign_keys", ", ".join(named))
            yield difference(place, _kind_of(expected, found), *("".join(side) or None for side in (expected, found)))


def compare_sequences(pair: TablePair) -> Iterator[Difference]:
    """The target's next id has to lie beyond every id that either side holds."""
    ours = {name: each for each in pair.legacy.sequences for name in pair.renamed([each.column])}
    for sequence in pair.target.sequences:
        known = [each.greatest for each in (sequence, ours.get(sequence.column)) if each is not None]
        greatest = max((each for each in known if each is not None), default=None)
        if greatest is not None and sequence.next_value is not None and sequence.next_value <= greatest:
            place = (pair.name, "sequences", sequence.column)
            texts = f"greatest stored {greatest}", f"next {sequence.next_value}"
            yield difference(place, DifferenceKind.VALUE, *texts)


def _by_terms(indexes: Iterable[IndexFacts], naming: Naming) -> Mapping[Form, list[IndexFacts]]:
    found = defaultdict[Form, list[IndexFacts]](list)
    for index in indexes:
        predicate = "" if index.predicate is None else expression_form(index.predicate, naming)
        found[("index", predicate, *(term_form(term, naming) for term in index.terms))].append(index)
    return found


def _told_indexes(indexes: Iterable[IndexFacts]) -> str:
    """What is said of one set of terms; a plain index says nothing beside a unique one."""
    told = {f"{'unique ' if each.is_unique else ''}index {each.extras}".strip() for each in indexes}
    return ", ".join(sorted(each for each in told if f"unique {each}" not in told))


def _lacking(texts: Mapping[str, Form], others: Mapping[str, Form]) -> Iterator[str]:
    """Those of the texts whose form the others do not have, or have less often."""
    left = Counter(others.values())
    for text, form in texts.items():
        if left[form]:
            left[form] -= 1
        else:
            yield text


def _told_reference(key: ForeignKeyFacts, tables: Mapping[str, str]) -> str:
    return (
        f"{tables.get(key.table, key.table)}({', '.join(key.references)})"
        f" ON UPDATE {key.on_update} ON DELETE {key.on_delete}"
    )


def _kind_of(legacy: object, target: object) -> DifferenceKind:
    if legacy and target:
        return DifferenceKind.VALUE
    return DifferenceKind.MISSING if legacy else DifferenceKind.EXTRA
