"""Carries a legacy database into the target, all rows or none, and verifies every one of them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from harness.domain.compare_rows import compare_states
from harness.domain.difference import Difference
from harness.domain.errors import DataRefused
from harness.domain.migration import TableLoad, carry_tables, plan_tables
from harness.domain.row_plan import RowMapping
from harness.domain.rows import DatabaseState

_SHOWN_DIFFERENCES = 3


class LegacySource(Protocol):
    """Where the rows come from."""

    async def read(self) -> DatabaseState:
        """All tables but bookkeeping, as of one moment."""


class OpenLoad(Protocol):
    """An open transaction on the target, whose tables nobody else can write meanwhile."""

    @property
    def enums(self) -> Mapping[str, Sequence[str]]:
        """Labels of the target's enumerated types."""

    @property
    def order(self) -> Sequence[str]:
        """The target's tables, referenced ones before those that refer to them."""

    async def read(self) -> DatabaseState:
        """All tables but bookkeeping, what this transaction wrote included."""

    async def copy(self, load: TableLoad) -> None:
        """Writes the rows; raises DataRefused naming the row where the server refuses one."""

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
    legacy_rows: int
    present_rows: int
    """Rows that the target held before."""
    written_rows: int
    verified_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What was done; `is_unchanged` where the target held exactly these rows already."""

    tables: tuple[TableCount, ...]
    rules: tuple[str, ...]
    moved_sequences: tuple[str, ...]
    is_unchanged: bool
    is_dry_run: bool


async def migrate(
    source: LegacySource, target: TargetDatabase, *, mapping: RowMapping, is_dry_run: bool = False
) -> Migration:
    """Copies every row in one transaction, then reads both sides back and compares them before it commits.

    A dry run does all of it and rolls back. A target that holds exactly the legacy's rows is left as it is.

    Raises:
        DataRefused: other rows are there, or a table, column or value cannot be carried; nothing was written.
    """
    legacy = await source.read()
    async with target.transaction(commit=not is_dry_run) as load:
        present = await load.read()
        plans = plan_tables(legacy, {name: table.schema for name, table in present.items()}, mapping)
        loads = carry_tables(legacy, plans, load.enums)
        is_unchanged = any(table.rows for name, table in present.items() if not _is_added(name, mapping))
        if is_unchanged:
            _refuse_others(compare_states(legacy, present, mapping=mapping))
        else:
            await _write(source, load, loads, mapping)
        moved = () if is_dry_run else await load.align_sequences()
    counts = tuple(_count(each, present, is_unchanged=is_unchanged) for each in loads)
    return Migration(
        tables=counts,
        rules=tuple(rule for each in loads for rule in each.rules),
        moved_sequences=moved,
        is_unchanged=is_unchanged,
        is_dry_run=is_dry_run,
    )


async def _write(source: LegacySource, load: OpenLoad, loads: Sequence[TableLoad], mapping: RowMapping) -> None:
    for each in sorted(loads, key=lambda each: load.order.index(each.target_table)):
        await load.copy(each)
    # The legacy is read again: it may be in use, and what it holds now is what the target must hold.
    differences = compare_states(await source.read(), await load.read(), mapping=mapping)
    if differences:
        hint = "Stop the application that writes to the legacy file, or migrate a copy of it; nothing was written."
        raise DataRefused(f"the rows read back differ: {_told(differences)}", hint=hint)


def _is_added(table: str, mapping: RowMapping) -> bool:
    return table in mapping and mapping[table].is_added


def _refuse_others(differences: Sequence[Difference]) -> None:
    if differences:
        hint = "Empty the target's tables, or give another database; nothing was written."
        raise DataRefused(f"the target already holds other rows: {_told(differences)}", hint=hint)


def _told(differences: Sequence[Difference]) -> str:
    first = "; ".join(
        f"{each.pointer} {each.kind} (legacy {each.legacy}, target {each.target})"
        for each in differences[:_SHOWN_DIFFERENCES]
    )
    more = len(differences) - _SHOWN_DIFFERENCES
    return first + (f"; and {more} more" if more > 0 else "")


def _count(load: TableLoad, present: DatabaseState, *, is_unchanged: bool) -> TableCount:
    return TableCount(
        legacy_table=load.legacy_table,
        target_table=load.target_table,
        legacy_rows=len(load.rows),
        present_rows=len(present[load.target_table].rows),
        written_rows=0 if is_unchanged else len(load.rows),
        verified_rows=len(load.rows),
    )
