"""Row parity: two databases read as ordered streams, compared block by block, range of keys by range of keys."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.domain.cell_values import RESPELLED, Family, cell_value, family_of
from harness.domain.compare_blocks import BlockFindings, compare_block, legacy_value, target_key_value, target_value
from harness.domain.difference import Difference, DifferenceKind
from harness.domain.pointer import parse_pointer
from harness.domain.ports import RowReader, RowSource
from harness.domain.row_difference import Key, key_token
from harness.domain.row_order import SortKey, sort_key
from harness.domain.row_parity import KeyRange, RangeOutcome
from harness.domain.row_plan import SharedColumn, TablePlan
from harness.domain.rows import Cell, Row
from harness.domain.secret_names import is_secret_name
from harness.engine.row_streams import RowStream, aligned_blocks, whole_tables

_NUMBERS = frozenset({Family.INTEGER, Family.FLOAT, Family.DECIMAL})
_SPELLED_FREELY = RESPELLED | {Family.MOMENT, Family.INSTANT}
"""Types of a key that have several texts for one value, of which SQLite keeps the one that was written."""
_MAX_RECHECKED = 10_000
"""Differing rows of one range that are read again: more are no rows in flight."""


RunRange = Callable[[TablePlan, KeyRange], Awaitable[RangeOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowParityOptions:
    """Sizes in rows, times in seconds."""

    partition_rows: int = 250_000
    recheck_after_s: float = 1.0
    """Differing rows are read again after this long: what only was in flight agrees by then."""
    recheck_times: int = 2
    """How often at most; what still differs then is a difference."""
    ranges_at_once: int = 1
    run_range: RunRange | None = None
    """Where a range is compared; None means in this process."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def compare_table(
    legacy: RowSource,
    target: RowSource,
    plan: TablePlan,
    *,
    after: Key | None = None,
    options: RowParityOptions | None = None,
) -> AsyncGenerator[RangeOutcome, None]:
    """Compares the rows behind `after`, range by range; each outcome is final, and the next begins at its end.

    Every row of either side lies in exactly one range. A table without a key that both sides know is one range, and
    is held in memory; one whose key may be a secret is one too, since the bounds of ranges are kept.

    Raises:
        SystemUnavailable: a database does not answer.
    """
    options = options or RowParityOptions()
    run = options.run_range or partial(_run_here, legacy, target, options)
    running = deque[asyncio.Future[RangeOutcome]]()
    is_last = False
    try:
        while running or not is_last:
            if is_last or len(running) == options.ranges_at_once:
                yield await running.popleft()
                continue
            upto = await _find_bound(legacy, plan, after, options) if _has_bounds(plan) else None
            running.append(asyncio.ensure_future(run(plan, KeyRange(after=after, upto=upto))))
            after, is_last = upto, upto is None
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _run_here(
    legacy: RowSource, target: RowSource, options: RowParityOptions, plan: TablePlan, keys: KeyRange
) -> RangeOutcome:
    return await compare_range(legacy, target, plan, keys, options)


async def compare_range(
    legacy: RowSource, target: RowSource, plan: TablePlan, keys: KeyRange, options: RowParityOptions
) -> RangeOutcome:
    """Compares one range: both sides as of one moment each, then what differed again, until nothing is in flight."""
    read, first = await _read_range(legacy, target, plan, keys)
    if len(first) > _MAX_RECHECKED:
        return read
    outcome, suspects = read, first
    for _ in range(options.recheck_times):
        if not suspects:
            break
        await options.sleep(options.recheck_after_s)
        again = await _compare_again(legacy, target, plan, suspects)
        suspects = again.keys
        outcome = replace(read, differences=again.differences, settled=len(first) - len(suspects))
    if _is_keyed(plan) and _is_spelled_freely(legacy, plan) and any(map(_is_alone, read.differences)):
        again = await _compare_spelled(legacy, target, plan, first)
        outcome = replace(read, differences=again.differences, settled=len(first) - len(again.keys))
    return outcome


async def _read_range(
    legacy: RowSource, target: RowSource, plan: TablePlan, keys: KeyRange
) -> tuple[RangeOutcome, Sequence[Key]]:
    differences, suspects = list[Difference](), dict[Key, None]()
    async with legacy.open_reader() as ours, target.open_reader() as theirs:
        left, right = _side(ours, plan, keys, is_legacy=True), _side(theirs, plan, keys, is_legacy=False)
        async for rows in aligned_blocks(left, right) if _is_keyed(plan) else whole_tables(left, right):
            found = compare_block(plan, *rows)
            differences += found.differences
            suspects |= dict.fromkeys(found.keys)
    outcome = RangeOutcome(
        table=plan.legacy.name,
        keys=keys,
        legacy_rows=left.count,
        target_rows=right.count,
        differences=tuple(differences),
    )
    return outcome, tuple(suspects)


async def _compare_again(
    legacy: RowSource, target: RowSource, plan: TablePlan, suspects: Sequence[Key]
) -> BlockFindings:
    """The rows of these keys once more, for which a table without a key is read as a whole."""
    if _is_keyed(plan):
        found = await _compare_rows(legacy, target, plan, suspects)
        return replace(found, keys=tuple(dict.fromkeys(found.keys)))
    outcome, keys = await _read_range(legacy, target, plan, KeyRange())
    # Others may be in flight by now, which were not when all was read first.
    known = {key_token(key) for key in suspects}
    return BlockFindings(
        differences=tuple(each for each in outcome.differences if parse_pointer(each.pointer)[1] in known),
        keys=tuple(key for key in keys if key_token(key) in known),
    )


def _is_alone(difference: Difference) -> bool:
    return difference.kind in {DifferenceKind.MISSING, DifferenceKind.EXTRA}


def _is_spelled_freely(legacy: RowSource, plan: TablePlan) -> bool:
    """Whether rows whose keys mean the same may be spelled, and so sorted, otherwise by the legacy."""
    return any(
        pair.target_family in _SPELLED_FREELY and (legacy.keeps_spellings or _is_of_another_type(plan, pair))
        for pair in plan.key
    )


def _is_of_another_type(plan: TablePlan, pair: SharedColumn) -> bool:
    return family_of(plan.legacy.columns[pair.legacy_at].declared_type) is not pair.target_family


async def _compare_spelled(
    legacy: RowSource, target: RowSource, plan: TablePlan, suspects: Sequence[Key]
) -> BlockFindings:
    """The legacy's rows of these keys against the target's rows that mean the same and are no other row's.

    A target row belongs to a legacy row elsewhere first: that one is compared with it where it lies, and two legacy
    rows that mean the same are never both answered by one (both are told where neither lies beside it). To find
    them the legacy is read as a whole.
    """
    theirs = await _find_target_rows(target, plan, suspects)
    wanted = {target_value(plan, row) for row in theirs}
    names, elsewhere = _key_names(plan, is_legacy=True), Counter[object]()
    async with legacy.open_reader() as reader:
        ours = await reader.find_rows(plan.legacy.name, names, suspects)
        async for block in reader.read_blocks(plan.legacy.name, names, KeyRange()):
            elsewhere.update(value for row in block if (value := legacy_value(plan, row)) in wanted)
    elsewhere.subtract(legacy_value(plan, row) for row in ours)
    found = compare_block(plan, ours, _without(theirs, elsewhere, partial(target_value, plan)))
    return replace(found, keys=tuple(dict.fromkeys(found.keys)))


def _without(rows: Sequence[Row], counts: Counter[object], value: Callable[[Row], object]) -> Sequence[Row]:
    """The rows but for as many of each value as are counted."""
    kept = list[Row]()
    for row in rows:
        if counts[value(row)] > 0:
            counts[value(row)] -= 1
        else:
            kept.append(row)
    return kept


def _side(reader: RowReader, plan: TablePlan, keys: KeyRange, *, is_legacy: bool) -> RowStream:
    schema = plan.legacy if is_legacy else plan.target
    places = [pair.legacy_at if is_legacy else pair.target_at for pair in plan.key]
    families = [pair.legacy_family if is_legacy else pair.target_family for pair in plan.key]

    def key(row: Row) -> SortKey:
        return sort_key([row[place] for place in places], families)

    return RowStream(reader.read_blocks(schema.name, _key_names(plan, is_legacy=is_legacy), keys), key)


async def _find_bound(legacy: RowSource, plan: TablePlan, after: Key | None, options: RowParityOptions) -> Key | None:
    async with legacy.open_reader() as reader:
        names = _key_names(plan, is_legacy=True)
        bound = await reader.find_bound(plan.legacy.name, names, after, options.partition_rows)
    return bound if bound is not None and _is_known_to_both(plan, bound) else None


def _is_known_to_both(plan: TablePlan, key: Key) -> bool:
    """Whether the target can be asked for rows behind this key of the legacy."""
    return all(_is_askable(cell, pair) for cell, pair in zip(key, plan.key, strict=True))


def _is_askable(cell: Cell, pair: SharedColumn) -> bool:
    if cell is None or isinstance(cell, bytes):
        return False
    if pair.target_family in _NUMBERS:
        return isinstance(cell, int) or (isinstance(cell, float) and pair.target_family is not Family.INTEGER)
    if not isinstance(cell, str) or "\0" in cell or not cell.isprintable():
        return False
    return pair.target_family is Family.OTHER or cell_value(cell, pair.target_family)[0] != "text"


def _is_keyed(plan: TablePlan) -> bool:
    if any(pair.rule for pair in plan.key):
        return False  # the two sides then have an order each
    return {pair.name for pair in plan.key} == set(plan.legacy.key) or (
        {pair.target.name for pair in plan.key} == set(plan.target.key)
    )


def _has_bounds(plan: TablePlan) -> bool:
    return _is_keyed(plan) and not any(map(is_secret_name, _key_names(plan, is_legacy=True)))


async def _compare_rows(legacy: RowSource, target: RowSource, plan: TablePlan, keys: Sequence[Key]) -> BlockFindings:
    async with legacy.open_reader() as reader:
        ours = await reader.find_rows(plan.legacy.name, _key_names(plan, is_legacy=True), keys)
    return compare_block(plan, ours, await _find_target_rows(target, plan, keys))


async def _find_target_rows(target: RowSource, plan: TablePlan, keys: Sequence[Key]) -> Sequence[Row]:
    # Two spellings of a key are one to the target, whose row is to be found once.
    distinct = {target_key_value(plan, key): key for key in keys}
    async with target.open_reader() as reader:
        return await reader.find_rows(plan.target.name, _key_names(plan, is_legacy=False), tuple(distinct.values()))


def _key_names(plan: TablePlan, *, is_legacy: bool) -> tuple[str, ...]:
    return tuple(pair.name if is_legacy else pair.target.name for pair in plan.key)
