"""Row parity with the real databases: which side is where, what was done before, what is kept."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.adapters.evidence_store import require_empty
from harness.adapters.postgres_dsn import redact_dsn
from harness.adapters.postgres_reader import PostgresSource
from harness.adapters.row_parity_log import RowParityLog
from harness.domain.difference import Difference
from harness.domain.row_parity import RangeOutcome
from harness.engine.row_parity import compare_databases
from harness.engine.rows import RowParityOptions
from harness.settings import RowsSettings
from harness.wiring.migrate import row_mapping
from harness.wiring.row_tasks import DaskSettings, ranges_on_dask, row_source

_KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RowParityRequest:
    """What to compare; the legacy is a SQLite file, or a PostgreSQL address."""

    legacy: str = field(repr=False)
    target_dsn: str = field(repr=False)
    rows: RowsSettings
    out: Path | None = None
    """A directory that keeps every difference, and how far the comparison came."""
    is_resumed: bool = False
    options: RowParityOptions = field(default_factory=RowParityOptions)
    dask: DaskSettings | None = None
    """Compares ranges as tasks of a Dask scheduler; None means in this process."""


@dataclass(slots=True, kw_only=True)
class RowParity:
    """The sums, and the first differences."""

    tables: dict[str, int] = field(default_factory=dict)
    """Legacy rows by table."""
    target_rows: int = 0
    settled: int = 0
    differences: int = 0
    first: list[Difference] = field(default_factory=list)

    @property
    def legacy_rows(self) -> int:
        """Rows of the legacy that were compared."""
        return sum(self.tables.values())

    def add(self, table: str, *, legacy_rows: int, target_rows: int, settled: int, differences: int) -> None:
        """Counts a range."""
        self.tables[table] = self.tables.get(table, 0) + legacy_rows
        self.target_rows += target_rows
        self.settled += settled
        self.differences += differences


async def compare_rows(request: RowParityRequest, on_range: Callable[[RowParity], None] = lambda _: None) -> RowParity:
    """Compares every row of every table; `on_range` is told the sums so far.

    Raises:
        ConfigurationError: an address, a file, the mapping or the directory cannot be used.
        SystemUnavailable: a database does not answer.
    """
    if request.out is None:
        return await _compare(request, None, on_range)
    if not request.is_resumed:
        require_empty(request.out)
    with closing(RowParityLog(request.out, _inputs(request))) as log:
        return await _compare(request, log, on_range)


async def _compare(
    request: RowParityRequest, log: RowParityLog | None, on_range: Callable[[RowParity], None]
) -> RowParity:
    if request.dask is None:
        return await _compare_all(request, request.options, log, on_range)
    async with ranges_on_dask(request.legacy, request.target_dsn, request.options, request.dask) as options:
        return await _compare_all(request, options, log, on_range)


async def _compare_all(
    request: RowParityRequest,
    options: RowParityOptions,
    log: RowParityLog | None,
    on_range: Callable[[RowParity], None],
) -> RowParity:
    sums = _sums_of(log)
    outcomes = compare_databases(
        row_source(request.legacy),
        PostgresSource(request.target_dsn),
        mapping=row_mapping(request.rows),
        done=None if log is None else log.done(),
        options=options,
    )
    async with aclosing(outcomes):
        async for outcome in outcomes:
            if log is not None:
                log.append(outcome)
            _count(sums, outcome)
            on_range(sums)
    return sums


def _sums_of(log: RowParityLog | None) -> RowParity:
    sums = RowParity()
    for entry in () if log is None else log.entries:
        sums.add(
            entry.table,
            legacy_rows=entry.legacy_rows,
            target_rows=entry.target_rows,
            settled=entry.settled,
            differences=entry.differences,
        )
    if log is not None:
        sums.first += log.first_differences(_KEPT)
    return sums


def _count(sums: RowParity, outcome: RangeOutcome) -> None:
    sums.add(
        outcome.table,
        legacy_rows=outcome.legacy_rows,
        target_rows=outcome.target_rows,
        settled=outcome.settled,
        differences=len(outcome.differences),
    )
    sums.first += outcome.differences[: _KEPT - len(sums.first)]


def _inputs(request: RowParityRequest) -> str:
    legacy = redact_dsn(request.legacy) if "://" in request.legacy else str(Path(request.legacy).resolve())
    rules = hashlib.sha256(msgspec.json.encode(request.rows)).hexdigest()
    return msgspec.json.encode([legacy, redact_dsn(request.target_dsn), rules]).decode()


def shown(differences: Sequence[Difference]) -> list[str]:
    """A line each: pointer, kind, both values."""
    return [f"{each.pointer}\t{each.kind}\tlegacy {each.legacy}\ttarget {each.target}" for each in differences]
