"""Row parity: two databases read as ordered streams, compared block by block, range of keys by range of keys."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from harness.domain.cell_values import Family, cell_value, family_of
from harness.domain.compare_blocks import BlockFindings, compare_block, legacy_value, target_key_value, target_value
from harness.domain.difference import Difference, DifferenceKind
from harness.domain.ports import RowReader, RowSource
from harness.domain.row_difference import Key
from harness.domain.row_order import SortKey, sort_key
from harness.domain.row_parity import KeyRange, RangeOutcome
from harness.domain.row_plan import SharedColumn, TablePlan
from harness.domain.rows import Cell, Row
from harness.domain.secret_names import is_secret_name

_NUMBERS = frozenset({Family.INTEGER, Family.FLOAT, Family.DECIMAL})
_SPELLED = frozenset({Family.MOMENT, Family.INSTANT, Family.TIME, Family.UUID, Family.INET})
"""Types that have several texts for one value."""
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
    outcome, suspects = await _read_range(legacy, target, plan, keys)
    first = len(suspects)
    for _ in range(options.recheck_times if first <= _MAX_RECHECKED else 0):
        if not suspects:
            break
        await options.sleep(options.recheck_after_s)
        again = await _compare_again(legacy, target, plan, suspects)
        suspects = again.keys
        outcome = replace(outcome, differences=again.differences, settled=first - len(suspects))
    if first <= _MAX_RECHECKED and _is_keyed(plan) and _may_lie_elsewhere(legacy, plan, outcome):
        again = await _compare_spelled(legacy, target, plan, suspects)
        outcome = replace(outcome, differences=again.differences, settled=first - len(again.keys))
    return outcome


async def _read_range(
    legacy: RowSource, target: RowSource, plan: TablePlan, keys: KeyRange
) -> tuple[RangeOutcome, Sequence[Key]]:
    differences, suspects = list[Difference](), dict[Key, None]()
    async with legacy.open_reader() as ours, target.open_reader() as theirs:
        left, right = _side(ours, plan, keys, is_legacy=True), _side(theirs, plan, keys, is_legacy=False)
        async for rows in _aligned(left, right) if _is_keyed(plan) else _whole(left, right):
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
    """The rows of these keys once more; the whole of a table that has no key."""
    if _is_keyed(plan):
        found = await _compare_rows(legacy, target, plan, suspects)
        return replace(found, keys=tuple(dict.fromkeys(found.keys)))
    outcome, keys = await _read_range(legacy, target, plan, KeyRange())
    return BlockFindings(differences=outcome.differences, keys=tuple(keys)[: len(suspects)])


def _may_lie_elsewhere(legacy: RowSource, plan: TablePlan, outcome: RangeOutcome) -> bool:
    """Whether a row of the target alone may have a legacy row whose key is spelled, and so sorted, otherwise."""
    is_spelled = any(
        pair.target_family in _SPELLED and (legacy.keeps_spellings or _is_of_another_type(plan, pair))
        for pair in plan.key
    )
    return is_spelled and any(each.kind is DifferenceKind.EXTRA for each in outcome.differences)


def _is_of_another_type(plan: TablePlan, pair: SharedColumn) -> bool:
    return family_of(plan.legacy.columns[pair.legacy_at].declared_type) is not pair.target_family


async def _compare_spelled(
    legacy: RowSource, target: RowSource, plan: TablePlan, suspects: Sequence[Key]
) -> BlockFindings:
    """The rows of these keys, those of the legacy found by what their keys mean: it is read as a whole."""
    theirs = await _find_target_rows(target, plan, suspects)
    wanted = {target_value(plan, row) for row in theirs}
    names = _key_names(plan, is_legacy=True)
    async with legacy.open_reader() as reader:
        same = await reader.find_rows(plan.legacy.name, names, suspects)
        ours = [row for row in same if legacy_value(plan, row) not in wanted]
        async for block in reader.read_blocks(plan.legacy.name, names, KeyRange()):
            ours += (row for row in block if legacy_value(plan, row) in wanted)
    found = compare_block(plan, ours, theirs)
    return replace(found, keys=tuple(dict.fromkeys(found.keys)))


class _Stream:
    """Rows in order, of which those up to a key can be taken."""

    def __init__(self, blocks: AsyncIterator[Sequence[Row]], key: Callable[[Row], SortKey]) -> None:
        self._blocks = blocks
        self._key = key
        self._waiting: Sequence[Row] = ()
        self._is_done = False
        self.count = 0

    async def fill(self) -> None:
        """Has rows waiting, unless there are no more."""
        if self._waiting or self._is_done:
            return
        try:
            self._waiting = await anext(self._blocks)
        except StopAsyncIteration:
            self._is_done = True
        self.count += len(self._waiting)

    @property
    def bound(self) -> SortKey | None:
        """Up to here everything is known; None where that is everything."""
        return None if self._is_done else self._key(self._waiting[-1])

    async def blocks(self) -> AsyncIterator[Sequence[Row]]:
        """All rows, as they come."""
        while True:
            await self.fill()
            if not self._waiting:
                return
            yield self.take(None)

    def take(self, bound: SortKey | None) -> Sequence[Row]:
        """The waiting rows up to `bound`."""
        waiting = self._waiting
        if bound is None or not waiting or self._key(waiting[-1]) <= bound:
            self._waiting = ()
            return waiting
        cut = bisect_right(waiting, bound, key=self._key)
        self._waiting = waiting[cut:]
        return waiting[:cut]


async def _aligned(legacy: _Stream, target: _Stream) -> AsyncIterator[tuple[Sequence[Row], Sequence[Row]]]:
    while True:
        await legacy.fill()
        await target.fill()
        bounds = [each for each in (legacy.bound, target.bound) if each is not None]
        bound = min(bounds) if bounds else None
        taken = legacy.take(bound), target.take(bound)
        if taken[0] or taken[1]:
            yield taken
        if bound is None:
            return


async def _whole(legacy: _Stream, target: _Stream) -> AsyncIterator[tuple[Sequence[Row], Sequence[Row]]]:
    ours = [row async for block in legacy.blocks() for row in block]
    theirs = [row async for block in target.blocks() for row in block]
    yield ours, theirs


def _side(reader: RowReader, plan: TablePlan, keys: KeyRange, *, is_legacy: bool) -> _Stream:
    schema = plan.legacy if is_legacy else plan.target
    places = [pair.legacy_at if is_legacy else pair.target_at for pair in plan.key]
    families = [pair.legacy_family if is_legacy else pair.target_family for pair in plan.key]

    def key(row: Row) -> SortKey:
        return sort_key([row[place] for place in places], families)

    return _Stream(reader.read_blocks(schema.name, _key_names(plan, is_legacy=is_legacy), keys), key)


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
