"""What a migration needs of the target, what it is told, and what it tells."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from harness.domain.migration import Refusal
from harness.domain.ports import RowSource
from harness.domain.staged import Interrupted, StagedRange, StagedTable


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

    async def merge(self, table: str, columns: Sequence[str]) -> int:
        """Takes in the rows that wait for a table; raises DataRefused where a constraint refuses one."""

    async def drop_staging(self) -> None:
        """Removes what waited, with this transaction."""

    async def align_sequences(self) -> tuple[str, ...]:
        """Leaves no sequence behind the greatest value of its column; names those it moved."""


class Staging(Protocol):
    """Where rows wait until all are there: each call is a transaction of its own."""

    async def find(self) -> Interrupted | None:
        """What a migration that was cut off has left."""

    async def begin(self, inputs: str, tables: Sequence[StagedTable]) -> None:
        """Makes room for the rows of these tables; what was left is gone."""

    async def copy(self, staged: StagedRange, columns: Sequence[str], lines: AsyncIterator[bytes]) -> int:
        """Writes a range and enters it as whole, both or nothing; returns its rows."""

    async def discard(self) -> None:
        """Leaves nothing behind."""


class TargetDatabase(Protocol):
    """Where the rows go."""

    def transaction(self, *, commit: bool) -> AbstractAsyncContextManager[OpenLoad]:
        """Commits at the end if `commit`, rolls back otherwise and on any error."""

    def staging(self) -> AbstractAsyncContextManager[Staging]:
        """Where rows can wait beside the tables."""


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
    resumed_rows: int = 0
    """Rows that an earlier run, which was cut off, had copied already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOptions:
    """What to do with the outcome, and whom to tell."""

    is_dry_run: bool = False
    is_resumed: bool = False
    """Go on with what an interrupted migration has left; from the start where there is nothing."""
    is_restarted: bool = False
    """Discard what an interrupted migration has left."""
    partition_rows: int = 250_000
    """Rows per range of keys: where a table has more, its rows are copied range by range, and wait."""
    source_identity: str = ""
    """Changes when the source does: what waits of another source is not gone on with."""
    on_rows: Callable[[str, int], None] = lambda _stage, _rows: None
    """Told `copied` and `verified` with the number of rows so far."""
    on_refusal: Callable[[Refusal], None] = lambda _: None
    """Told of every value that cannot be carried, as it is met."""
