"""Carries a legacy database into the target, all rows or none, and verifies every one of them."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from harness.domain.difference import Difference
from harness.domain.errors import DataRefused
from harness.domain.migration import TableCarrier
from harness.domain.ports import RowSource
from harness.domain.row_mapping import RowMapping
from harness.domain.row_parity import KeyRange
from harness.engine.migrate_staged import carriers_of, discard_staged, holds_rows, refuse_if_any, stage_rows
from harness.engine.migration import Migration, MigrationOptions, OpenLoad, TableCount, TargetDatabase
from harness.engine.row_parity import compare_databases
from harness.engine.rows import RowParityOptions

_SHOWN_DIFFERENCES = 3
_AT_ONCE = RowParityOptions(recheck_after_s=0)
"""Nobody else writes to the target meanwhile, and what was written to the legacy is a difference."""


async def migrate(
    source: RowSource, target: TargetDatabase, *, mapping: RowMapping, options: MigrationOptions | None = None
) -> Migration:
    """Copies every row, then reads both sides back and compares them before it commits.

    Rows pass through as a stream: memory does not grow with them. Those of a large source wait beside the target's
    tables, so that a run which is cut off at any moment can be resumed; they arrive in one transaction, as those of a
    small one do: nobody ever sees a part of them. A dry run does all of it in one transaction and rolls back. A target
    that holds exactly the legacy's rows is left as it is.

    Raises:
        DataRefused: other rows are there, or a table, column or value cannot be carried; nothing was written.
        ConfigurationError: the mapping does not fit, or an interrupted migration waits and nothing is said of it.
    """
    options = options or MigrationOptions()
    async with source.open_reader() as reader:
        schemas = await reader.read_schemas()
    waiting = None if options.is_dry_run else await stage_rows(source, target, schemas, mapping, options)
    try:
        async with target.transaction(commit=not options.is_dry_run) as load:
            carriers = await carriers_of(load, schemas, mapping, options)
            present = await load.count_rows()
            is_unchanged = holds_rows(present, mapping)
            if waiting is not None:
                await _merge(load, carriers, is_empty=not is_unchanged)
            elif not is_unchanged:
                await _copy(source, load, carriers, options)
            verified = await _verify(source, load, mapping, options, is_unchanged=is_unchanged)
            moved = () if options.is_dry_run else await load.align_sequences()
    except DataRefused:
        if waiting is not None:
            await discard_staged(target)
        raise
    return Migration(
        tables=tuple(_count(each, present, verified, is_unchanged=is_unchanged) for each in carriers),
        rules=tuple(rule for each in carriers for rule in each.rules),
        moved_sequences=moved,
        is_unchanged=is_unchanged,
        is_dry_run=options.is_dry_run,
        resumed_rows=waiting or 0,
    )


async def _merge(load: OpenLoad, carriers: Sequence[TableCarrier], *, is_empty: bool) -> None:
    """Takes in what waits; where somebody else has written rows meanwhile, comparing them tells."""
    if is_empty:
        for each in sorted(carriers, key=lambda each: load.order.index(each.plan.target.name)):
            await load.merge(each.plan.target.name, each.columns)
    await load.drop_staging()


async def _copy(source: RowSource, load: OpenLoad, carriers: Sequence[TableCarrier], options: MigrationOptions) -> None:
    for each in sorted(carriers, key=lambda each: load.order.index(each.plan.target.name)):
        before = sum(carrier.rows for carrier in carriers)
        lines = _lines(source, each, lambda rows, before=before: options.on_rows("copied", before + rows))  # type: ignore[misc]
        async with aclosing(lines):
            await load.copy(each.plan.target.name, each.columns, lines)
    refuse_if_any(carriers)


async def _lines(
    source: RowSource, carrier: TableCarrier, on_rows: Callable[[int], None]
) -> AsyncGenerator[bytes, None]:
    """The table's rows; of one with a row that cannot be carried, the rest is only looked through."""
    plan = carrier.plan
    async with source.open_reader() as reader:
        key = plan.legacy.key or plan.legacy.column_names
        async for block in reader.read_blocks(plan.legacy.name, key, KeyRange()):
            lines = carrier.carry(block)
            on_rows(carrier.rows)
            if lines:
                yield lines


async def _verify(
    source: RowSource, load: OpenLoad, mapping: RowMapping, options: MigrationOptions, *, is_unchanged: bool
) -> Mapping[str, int]:
    # The legacy is read again: it may be in use, and what it holds now is what the target must hold.
    options.on_rows("verified", 0)
    verified: dict[str, int] = {}
    differences: list[Difference] = []
    async for outcome in compare_databases(source, load, mapping=mapping, options=_AT_ONCE):
        verified[outcome.table] = verified.get(outcome.table, 0) + outcome.legacy_rows
        differences += outcome.differences
        options.on_rows("verified", sum(verified.values()))
    if differences and is_unchanged:
        hint = "Empty the target's tables, or give another database; nothing was written."
        raise DataRefused(f"the target already holds other rows: {_told(differences)}", hint=hint)
    if differences:
        hint = "Stop the application that writes to the legacy file, or migrate a copy of it; nothing was written."
        raise DataRefused(f"the rows read back differ: {_told(differences)}", hint=hint)
    return verified


def _told(differences: Sequence[Difference]) -> str:
    first = "; ".join(
        f"{each.pointer} {each.kind} (legacy {each.legacy}, target {each.target})"
        for each in differences[:_SHOWN_DIFFERENCES]
    )
    more = len(differences) - _SHOWN_DIFFERENCES
    return first + (f"; and {more} more" if more > 0 else "")


def _count(
    carrier: TableCarrier, present: Mapping[str, int], verified: Mapping[str, int], *, is_unchanged: bool
) -> TableCount:
    plan = carrier.plan
    count = TableCount(
        legacy_table=plan.legacy.name, target_table=plan.target.name, present_rows=present.get(plan.target.name, 0)
    )
    rows = verified.get(plan.legacy.name, 0)
    return replace(count, legacy_rows=rows, written_rows=0 if is_unchanged else rows, verified_rows=rows)
