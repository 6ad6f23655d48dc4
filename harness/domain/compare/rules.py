"""What a judgement goes by: the rules of today, apart from what was observed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta, tzinfo

from harness.domain.compare.cells import RowMapping
from harness.domain.compare.content import DEFAULT_DECODERS, Decoder
from harness.domain.compare.headers import HeaderRules
from harness.domain.compare.structure import DEFAULT_KEYS
from harness.domain.waiver import Waiver


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that may change between two judgements of the same record."""

    today: date
    waivers: tuple[Waiver, ...] = ()
    contract_zone: tzinfo = UTC
    """The zone of moments that are printed without one."""
    row_mapping: RowMapping = field(default_factory=RowMapping)
    keys: tuple[str, ...] = DEFAULT_KEYS
    """Members that name the elements of a list, in order of preference."""
    paging: frozenset[str] = frozenset({"page", "offset", "skip", "start", "cursor", "after"})
    """Query parameters that choose a page of the same list."""
    headers: HeaderRules = field(default_factory=HeaderRules)
    decoders: Mapping[str, Decoder] = field(default_factory=lambda: DEFAULT_DECODERS)
    """By content encoding; whoever can decode `br` adds it."""
    clock_tolerance: timedelta = timedelta(milliseconds=50)
    """By how much a system's clock may differ from ours."""
