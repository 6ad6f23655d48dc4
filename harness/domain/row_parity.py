"""What the comparison of two databases' rows is made of: ranges of keys, and what each of them gave."""

from dataclasses import dataclass

from harness.domain.difference import Difference
from harness.domain.row_difference import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRange:
    """Keys after `after` and up to `upto`, as the legacy spells them; None means no bound there."""

    after: Key | None = None
    upto: Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeOutcome:
    """What the comparison of one range of one table gave."""

    table: str
    keys: KeyRange
    legacy_rows: int = 0
    target_rows: int = 0
    settled: int = 0
    """Rows that differed at first and agreed when they were read again."""
    differences: tuple[Difference, ...] = ()
