"""Everything that was observed of one replayed session: the only input of the judgement, stored and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from harness.domain.difference import Difference
from harness.domain.exchange import ExchangePair
from harness.domain.rows import Cell, Row, TableSchema


class Origin(StrEnum):
    """Where a session came from: a mismatch rate is claimed for recorded traffic only."""

    WRITTEN = "written"
    RECORDED = "recorded"
    GENERATED = "generated"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One row that a step inserted (`before` is None), deleted (`after` is None) or updated, on one side."""

    table: str
    key: tuple[Cell, ...]
    before: Row | None
    after: Row | None


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A step's exchanges and the row changes that it caused on each side."""

    pair: ExchangePair
    legacy_changes: tuple[RowChange, ...] = ()
    target_changes: tuple[RowChange, ...] = ()
    sent_differently: tuple[str, ...] = ()
    """What the target was sent in place of the legacy's own ids and saved values, such as `/id: 110 -> 111`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session replayed once in `steps` and a second time, from the same state at a later time, in `repeat`.

    The repetition shows which values are noise: those that differ within a side. It carries no row changes
    where none were read.
    """

    session_id: str
    group: str
    origin: Origin
    legacy_schemas: Mapping[str, TableSchema]
    target_schemas: Mapping[str, TableSchema]
    steps: tuple[StepRecord, ...]
    repeat: tuple[StepRecord, ...] = ()
    initial_differences: tuple[Difference, ...] = ()
    """Row differences between the sides before the first step."""
    compares_state: bool = False
    """False where no database was given: then only answers are judged."""
    sources: tuple[str, ...] = field(default=())
