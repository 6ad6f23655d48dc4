"""The rows of a large source, copied range by range to where they wait: each range whole, so that a run can go on."""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.migration import TableCarrier, plan_tables, refusal_error
from harness.domain.ports import RowReader, RowSource
from harness.domain.row_difference import Key
from harness.domain.row_mapping import RowMapping
from harness.domain.row_parity import KeyRange
from harness.domain.rows import TableSchema
from harness.domain.staged import Interrupted, StagedRange, StagedTable
from harness.engine.migration import MigrationOptions, OpenLoad, Staging, TargetDatabase

Schemas = Mapping[str, TableSchema]


class _RangeRefused(Exception):
    """The range holds a value that cannot be carried: it is no part of what waits."""


async def stage_rows(
    source: RowSource, target: TargetDatabase, schemas: Schemas, mapping: RowMapping, options: MigrationOptions
) -> int | None:
    """Has every row wait beside the target's tables, and tells how many an earlier run had copied.

    None, and nothing waits, where no table is larger than a range, or the target holds rows already.

    Raises:
        DataRefused: a value cannot be carried; nothing waits any more.
        ConfigurationError: an interrupted migration waits, and nothing is said of it, or it was another one.
    """
    async with target.transaction(commit=False) as load:
        carriers = await carriers_of(load, schemas, mapping, options)
        carriers.sort(key=lambda each: load.order.index(each.plan.target.name))
        is_taken = holds_rows(await load.count_rows(), mapping)
    async with target.staging() as staging:
        found = await staging.find()
        if found is not None and found.ranges and not options.is_restarted:
            _require_resumed(found, options)
        if is_taken:
            return None
        work = _Work(source=source, staging=staging, carriers=carriers, options=options)
        left = await work.prepare(None if options.is_restarted else found, _inputs(carriers, options))
        if left is None:
            if found is not None:
                await staging.discard()
            return None
        await work.copy(left)
        try:
            refuse_if_any(carriers)
        except BaseException:
            await staging.discard()
            raise
        return left.rows


async def carriers_of(
    load: OpenLoad, schemas: Schemas, mapping: RowMapping, options: MigrationOptions
) -> list[TableCarrier]:
    """What turns each table's rows into lines, by the legacy's names."""
    async with load.open_reader() as reader:
        plans = plan_tables(schemas, await reader.read_schemas(), mapping)
    return [TableCarrier(plan=plan, enums=load.enums, on_refusal=options.on_refusal) for plan in plans]


def holds_rows(present: Mapping[str, int], mapping: RowMapping) -> bool:
    """Whether a table of the target holds rows, but for those that it has of its own."""
    return any(count for table, count in present.items() if table not in mapping or not mapping[table].is_added)


async def discard_staged(target: TargetDatabase) -> None:
    """Removes what waits, if the target can be reached: what could not be carried is not to be resumed."""
    with suppress(SystemUnavailable):
        async with target.staging() as staging:
            await staging.discard()


def refuse_if_any(carriers: Sequence[TableCarrier]) -> None:
    """Raises DataRefused where a value could not be carried."""
    refused = [each for each in carriers if each.refused]
    first = [refusal for each in refused for refusal in each.refusals]
    if refused:
        raise refusal_error(first, sum(each.refused for each in refused))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One run's share of the copying."""

    source: RowSource
    staging: Staging
    carriers: Sequence[TableCarrier]
    options: MigrationOptions

    async def prepare(self, found: Interrupted | None, inputs: str) -> Interrupted | None:
        """What is there to go on from; None where no table is large enough to wait."""
        if found is not None and found.ranges:
            if found.inputs != inputs:
                hint = "Give the file and the mapping that it was begun with, or discard it with --restart."
                where = f"begun at {found.begun_at}, {found.rows} rows copied"
                raise ConfigurationError("the interrupted migration was of other rows", where=where, hint=hint)
            return found
        if not await self._has_ranges():
            return None
        tables = [StagedTable(name=each.plan.target.name, columns=each.columns) for each in self.carriers]
        await self.staging.begin(inputs, tables)
        return Interrupted(inputs=inputs, begun_at="", ranges=())

    async def copy(self, left: Interrupted) -> None:
        """Every range that does not wait yet; once a value was refused, the rest is only looked through."""
        total = left.rows
        for carrier in self.carriers:
            done = left.ranges_of(carrier.plan.target.name)
            if not done or done[-1].upto is not None:
                await self._copy_table(carrier, done[-1].upto if done else None, len(done), total)
            total += carrier.rows

    async def _copy_table(self, carrier: TableCarrier, after: Key | None, number: int, total: int) -> None:
        while True:
            async with self.source.open_reader() as reader:
                upto = await _bound(reader, carrier, after, self.options.partition_rows)
                lines = _lines(
                    reader,
                    carrier,
                    KeyRange(after=after, upto=upto),
                    lambda rows: self.options.on_rows("copied", total + rows),
                )
                await self._copy_range(
                    carrier, StagedRange(table=carrier.plan.target.name, number=number, upto=upto), lines
                )
            if upto is None:
                return
            after, number = upto, number + 1

    async def _copy_range(self, carrier: TableCarrier, staged: StagedRange, lines: AsyncIterator[bytes]) -> None:
        with suppress(_RangeRefused):
            if not any(each.refused for each in self.carriers):
                await self.staging.copy(staged, carrier.columns, lines)
                return
            async for _ in lines:
                pass

    async def _has_ranges(self) -> bool:
        async with self.source.open_reader() as reader:
            for each in self.carriers:
                if await _bound(reader, each, None, self.options.partition_rows) is not None:
                    return True
        return False


async def _bound(reader: RowReader, carrier: TableCarrier, after: Key | None, rows: int) -> Key | None:
    """Where a range ends; None where it is the table's last, or its keys are none to go on from."""
    schema = carrier.plan.legacy
    if not schema.key:
        return None
    bound = await reader.find_bound(schema.name, schema.key, after, rows)
    return bound if bound is not None and all(map(_can_be_asked, bound)) else None


def _can_be_asked(cell: object) -> bool:
    """Whether rows behind a key can be asked for: NULL has none, and text that is not UTF-8 no parameter."""
    if isinstance(cell, str):
        return cell.isprintable()
    return cell is not None


async def _lines(
    reader: RowReader, carrier: TableCarrier, keys: KeyRange, on_rows: Callable[[int], None]
) -> AsyncIterator[bytes]:
    schema = carrier.plan.legacy
    async for block in reader.read_blocks(schema.name, schema.key or schema.column_names, keys):
        lines = carrier.carry(block)
        on_rows(carrier.rows)
        if lines:
            yield lines
    if carrier.refused:
        raise _RangeRefused


def _require_resumed(found: Interrupted, options: MigrationOptions) -> None:
    if not options.is_resumed:
        hint = "Go on with it with --resume, or discard it and begin anew with --restart."
        where = f"begun at {found.begun_at}, {found.rows} rows copied in {len(found.ranges)} ranges; none is visible"
        raise ConfigurationError("an interrupted migration waits in the target", where=where, hint=hint)


def _inputs(carriers: Sequence[TableCarrier], options: MigrationOptions) -> str:
    """Changes when what waits would not be what is to be copied."""
    said = repr((options.source_identity, [(each.plan, each.columns) for each in carriers]))
    return hashlib.sha256(said.encode()).hexdigest()
