"""Rows that wait beside the target's tables, so that a migration which was cut off can go on."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.domain.row_difference import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedTable:
    """A target table and the columns that its waiting rows have."""

    name: str
    columns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRange:
    """One range of a table's keys that waits whole; `upto` is None where it was the table's last."""

    table: str
    number: int
    upto: Key | None
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """A migration that was cut off: what it carried from where to where, and how far it came."""

    inputs: str
    begun_at: str
    ranges: tuple[StagedRange, ...]

    @property
    def rows(self) -> int:
        """Rows that wait."""
        return sum(each.rows for each in self.ranges)

    def ranges_of(self, table: str) -> tuple[StagedRange, ...]:
        """One table's, in their order."""
        return tuple(sorted((each for each in self.ranges if each.table == table), key=lambda each: each.number))
