"""Blocks of rows against blocks of rows: column by column, and cell by cell only where that does not prove them equal.

A block of one table is compared in a few passes that the interpreter makes in C (`python -m bench --only
rows_parity_1m`); what they cannot prove equal goes to `compare_cells`, which alone decides.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import copysign
from types import NoneType

from harness.domain.cell_rule import NO_RULE, CellRule
from harness.domain.cell_values import Family, families_of, family_of, key_value
from harness.domain.compare_cells import compare_cells
from harness.domain.difference import Difference, DifferenceKind
from harness.domain.row_difference import Key, cell_difference, extra_row, missing_row
from harness.domain.row_plan import AddedColumn, Fill, SharedColumn, TablePlan, literal_cell
from harness.domain.rows import Cell, Row

KeyMap = Callable[[str, Key], Key]
Cells = tuple[Cell, ...]
_TIMES = frozenset({Family.MOMENT, Family.INSTANT})
_WHOLE_SECOND = len("2024-01-15 10:30:00")
_NOTHING = frozenset({NoneType})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFindings:
    """What differs in one block, in the order of the legacy's rows, and the keys of the rows that it is in."""

    differences: tuple[Difference, ...] = ()
    keys: tuple[Key, ...] = ()


def compare_block(
    plan: TablePlan, legacy: Sequence[Row], target: Sequence[Row], key_map: KeyMap | None = None
) -> BlockFindings:
    """Every difference between the rows of two blocks that hold the same range of keys.

    Rows are aligned by the plan's key, equal keys in their order. `key_map` tells which target key a legacy key
    stands for; it is asked for the legacy's table name.
    """
    if not legacy and not target:
        return BlockFindings()
    pairing = _pair(plan, legacy, target, key_map)
    found = [
        (position, number, difference)
        for number, check in enumerate(_checks(plan))
        for position, difference in _compare_column(plan, check, pairing)
    ]
    found += [
        (position, 0, missing_row(plan.legacy.name, plan.legacy, _legacy_key(plan, row), row))
        for position, row in pairing.missing
    ]
    found.sort(key=lambda each: each[:2])
    keys = dict.fromkeys(_legacy_key(plan, legacy[position]) for position, _, _ in found)
    extra = [(_target_key(plan, row), row) for row in pairing.extra]
    return BlockFindings(
        differences=(
            *(difference for _, _, difference in found),
            *(extra_row(plan.legacy.name, plan.target, key, row) for key, row in extra),
        ),
        keys=(*keys, *(key for key, _ in extra)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairing:
    """Rows of both sides that stand for each other, as columns."""

    places: Sequence[int]
    """Of each pair, the position of its legacy row in the block."""
    legacy: Sequence[Cells]
    target: Sequence[Cells]
    missing: Sequence[tuple[int, Row]] = ()
    extra: Sequence[Row] = ()
    mapped: frozenset[int] = frozenset()
    """Pairs whose keys differ because the key map says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """A target column and what is expected in it."""

    name: str
    target_at: int
    target_family: Family
    legacy_at: int | None
    """None where every row is expected to hold `literal`."""
    legacy_family: Family
    literal: Cell = None
    rule: CellRule = NO_RULE
    is_key: bool = False


def _checks(plan: TablePlan) -> Iterable[_Check]:
    for pair in plan.shared:
        yield _Check(
            name=pair.name,
            target_at=pair.target_at,
            target_family=pair.target_family,
            legacy_at=pair.legacy_at,
            legacy_family=_legacy_family(pair),
            rule=pair.rule,
            is_key=pair in plan.key,
        )
    for column in plan.added:
        if column.fill not in {Fill.ANY, Fill.MISSING}:
            yield _check_added(plan, column)


def _check_added(plan: TablePlan, column: AddedColumn) -> _Check:
    family = family_of(column.target.declared_type)
    source = plan.legacy.column_names.index(column.argument) if column.fill is Fill.COLUMN else None
    declared = plan.legacy.columns[source].declared_type if source is not None else column.target.declared_type
    return _Check(
        name=column.target.name,
        target_at=column.target_at,
        target_family=family,
        legacy_at=source,
        legacy_family=families_of(declared, column.target.declared_type)[0],
        literal=literal_cell(column.argument, family) if column.fill is Fill.LITERAL else None,
    )


def _compare_column(plan: TablePlan, check: _Check, pairing: _Pairing) -> Iterable[tuple[int, Difference]]:
    if not pairing.places:
        return
    theirs = pairing.target[check.target_at]
    ours = (check.literal,) * len(theirs) if check.legacy_at is None else pairing.legacy[check.legacy_at]
    expected, lacking = check.rule.apply_all(ours)
    if not lacking and _are_plainly_equal(expected, theirs, check):
        return
    for n, (cell, other) in enumerate(zip(expected, theirs, strict=True)):
        if check.is_key and n in pairing.mapped:
            continue
        kind = compare_cells(cell, other, legacy_type=check.legacy_family, target_type=check.target_family)
        if n in lacking:
            kind = DifferenceKind.VALUE
        if kind is not None:
            key = tuple(pairing.legacy[pair.legacy_at][n] for pair in plan.key)
            found = cell_difference(plan.legacy.name, key, check.name, kind, (ours[n], other))
            yield pairing.places[n], replace(found, legacy=f"{found.legacy} ({lacking[n]})") if n in lacking else found


def _are_plainly_equal(ours: Cells, theirs: Cells, check: _Check) -> bool:
    """True only where every pair of cells means the same; False says nothing."""
    if ours != theirs and not (check.target_family in _TIMES and _with_fractions(ours) == theirs):
        return False
    kinds, others = set(map(type, ours)) - _NOTHING, set(map(type, theirs)) - _NOTHING
    if check.legacy_family is Family.BOOLEAN and check.target_family is Family.BOOLEAN:
        return kinds <= {int, bool} and others <= {int, bool} and set(ours) <= {0, 1, None}
    return kinds == others and len(kinds) <= 1 and (kinds != {float} or _have_equal_zeros(ours, theirs))


def _with_fractions(texts: Cells) -> Cells:
    """Times of whole seconds written as those with a fraction are."""
    return tuple(f"{cell}.000000" if isinstance(cell, str) and len(cell) == _WHOLE_SECOND else cell for cell in texts)


def _have_equal_zeros(ours: Cells, theirs: Cells) -> bool:
    if 0.0 not in ours:
        return True
    return all(
        copysign(1, cell) == copysign(1, other)  # type: ignore[arg-type]  # zeros are numbers
        for cell, other in zip(ours, theirs, strict=True)
        if cell == 0
    )


def _pair(plan: TablePlan, legacy: Sequence[Row], target: Sequence[Row], key_map: KeyMap | None) -> _Pairing:
    if legacy and len(legacy) == len(target) and key_map is None:
        ours, theirs = tuple(zip(*legacy, strict=True)), tuple(zip(*target, strict=True))
        if all(_has_equal_keys(pair, ours, theirs) for pair in plan.key):
            return _Pairing(places=range(len(legacy)), legacy=ours, target=theirs)
    return _match(plan, legacy, target, key_map or _same_key)


def _has_equal_keys(pair: SharedColumn, ours: Sequence[Cells], theirs: Sequence[Cells]) -> bool:
    return ours[pair.legacy_at] == theirs[pair.target_at]


def _match(plan: TablePlan, legacy: Sequence[Row], target: Sequence[Row], key_map: KeyMap) -> _Pairing:
    waiting: defaultdict[object, deque[Row]] = defaultdict(deque)
    for row in target:
        waiting[target_value(plan, row)].append(row)
    places, missing, theirs = list[int](), list[tuple[int, Row]](), list[Row]()
    mapped = set[int]()
    for position, row in enumerate(legacy):
        key = _legacy_key(plan, row)
        wanted = key_map(plan.legacy.name, key)
        families = [_legacy_family(pair) if wanted == key else pair.target_family for pair in plan.key]
        candidates = waiting.get(_comparable(_renamed(plan, wanted), families))
        if not candidates:
            missing.append((position, row))
            continue
        if wanted != key:
            mapped.add(len(places))
        places.append(position)
        theirs.append(candidates.popleft())
    return _Pairing(
        places=places,
        legacy=tuple(zip(*(legacy[position] for position in places), strict=True)),
        target=tuple(zip(*theirs, strict=True)),
        missing=missing,
        extra=[row for rows in waiting.values() for row in rows],
        mapped=frozenset(mapped),
    )


def legacy_value(plan: TablePlan, row: Row) -> object:
    """What a legacy row is aligned by, however its key is spelled."""
    return _comparable(_renamed(plan, _legacy_key(plan, row)), [_legacy_family(pair) for pair in plan.key])


def target_value(plan: TablePlan, row: Row) -> object:
    """What a target row is aligned by."""
    return target_key_value(plan, _target_key(plan, row))


def target_key_value(plan: TablePlan, key: Key) -> object:
    """What a key stands for, as the target's columns take it."""
    return _comparable(key, [pair.target_family for pair in plan.key])


def _same_key(_table: str, key: Key) -> Key:
    return key


def _renamed(plan: TablePlan, key: Key) -> Key:
    return tuple(pair.rule.find(cell)[0] for pair, cell in zip(plan.key, key, strict=True))


def _legacy_family(pair: SharedColumn) -> Family:
    """How the legacy's cells are read: those that a rule makes are the target's."""
    return pair.target_family if pair.rule else pair.legacy_family


def _comparable(key: Key, families: Sequence[Family]) -> object:
    return tuple(key_value(cell, family) for cell, family in zip(key, families, strict=True))


def _legacy_key(plan: TablePlan, row: Row) -> Key:
    return tuple(row[pair.legacy_at] for pair in plan.key)


def _target_key(plan: TablePlan, row: Row) -> Key:
    return tuple(row[pair.target_at] for pair in plan.key)
