"""Carries a legacy database into the target, all rows or none, and verifies every one of them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from harness.domain.difference import Difference
from harness.domain.errors import DataRefused
from harness.domain.migration import Refusal, TableCarrier, plan_tables, refusal_error
from harness.domain.ports import RowSource
from harness.domain.row_mapping import RowMapping
from harness.domain.row_parity import KeyRange
from harness.engine.row_parity import compare_databases
from harness.engine.rows import RowParityOptions

_SHOWN_DIFFERENCES = 3
_AT_ONCE = RowParityOptions(recheck_after_s=0)
"""Nobody else writes to the target meanwhile, and what was written to the legacy is a difference."""


class OpenLoad(RowSource, Protocol):
    """An open transaction on the target, whose tables nobody else can write meanwhile."""

    @property
    def enums(self) -> Mapping[str, Sequence[str]]:
        """Labels of the target's enumerated types."""

    @property
    def order(self) -> Sequence[str]:
        """The target's tables, referenced ones before those that refer to them."""

    async def count_rows(self) -> Mapping[str, int]:
        """Rows by table, what this transaction wrote included."""

    async def copy(self, table: str, columns: Sequence[str], lines: AsyncIterator[bytes]) -> None:
        """Writes lines in COPY's text format; raises DataRefused where the server refuses one."""

    async def align_sequences(self) -> tuple[str, ...]:
        """Leaves no sequence behind the greatest value of its column; names those it moved."""


class TargetDatabase(Protocol):
    """Where the rows go."""

    def transaction(self, *, commit: bool) -> AbstractAsyncContextManager[OpenLoad]:
        """Commits at the end if `commit`, rolls back otherwise and on any error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCount:
    """One table's outcome."""

    legacy_table: str
    target_table: str
    present_rows: int
    """Rows that the target held before."""
    legacy_rows: int = 0
    written_rows: int = 0
    verified_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What was done; `is_unchanged` where the target held exactly these rows already."""

    tables: tuple[TableCount, ...]
    rules: tuple[str, ...]
    moved_sequences: tuple[str, ...]
    is_unchanged: bool
    is_dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOptions:
    """What to do with the outcome, and whom to tell."""

    is_dry_run: bool = False
    on_rows: Callable[[str, int], None] = lambda _stage, _rows: None
    """Told `copied` and `verified` with the number of rows so far."""
    on_refusal: Callable[[Refusal], None] = lambda _: None
    """Told of every value that cannot be carried, up to some thousand a table."""


async def migrate(
    source: RowSource, target: TargetDatabase, *, mapping: RowMapping, options: MigrationOptions | None = None
) -> Migration:
    """Copies every row in one transaction, then reads both sides back and compares them before it commits.

    Rows pass through as a stream: memory does not grow with them. A dry run does all of it and rolls back. A target
    that holds exactly the legacy's rows is left as it is.

    Raises:
        DataRefused: other rows are there, or a table, column or value cannot be carried; nothing was written.
    """
    options = options or MigrationOptions()
    async with source.open_reader() as reader:
        schemas = await reader.read_schemas()
    async with target.transaction(commit=not options.is_dry_run) as load:
        async with load.open_reader() as reader:
            plans = plan_tables(schemas, await reader.read_schemas(), mapping)
        carriers = [TableCarrier(plan=plan, enums=load.enums) for plan in plans]
        present = await load.count_rows()
        is_unchanged = any(count for table, count in present.items() if not _is_added(table, mapping))
        if not is_unchanged:
            await _copy(source, load, carriers, options)
        verified = await _verify(source, load, mapping, options, is_unchanged=is_unchanged)
        moved = () if options.is_dry_run else await load.align_sequences()
    return Migration(
        tables=tuple(_count(each, present, verified, is_unchanged=is_unchanged) for each in carriers),
        rules=tuple(rule for each in carriers for rule in each.rules),
        moved_sequences=moved,
        is_unchanged=is_unchanged,
        is_dry_run=options.is_dry_run,
    )


async def _copy(source: RowSource, load: OpenLoad, carriers: Sequence[TableCarrier], options: MigrationOptions) -> None:
    for each in sorted(carriers, key=lambda each: load.order.index(each.plan.target.name)):
        before = sum(carrier.rows for carrier in carriers)
        lines = _lines(source, each, lambda rows, before=before: options.on_rows("copied", before + rows))  # type: ignore[misc]
        await load.copy(each.plan.target.name, each.columns, lines)
    refused = [each for each in carriers if each.refused]
    for refusal in (refusal for each in refused for refusal in each.refusals):
        options.on_refusal(refusal)
    if refused:
        first = [refusal for each in refused for refusal in each.refusals]
        raise refusal_error(first, sum(each.refused for each in refused))


async def _lines(source: RowSource, carrier: TableCarrier, on_rows: Callable[[int], None]) -> AsyncIterator[bytes]:
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


def _is_added(table: str, mapping: RowMapping) -> bool:
    return table in mapping and mapping[table].is_added


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
