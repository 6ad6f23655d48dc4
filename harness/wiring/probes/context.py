"""What every probe is given."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from harness.adapters.evidence_store import EvidenceStore, write_atomically
from harness.adapters.postgres import PostgresState
from harness.domain.compare.rules import Rules
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import ConfigurationError
from harness.domain.measurement import Measurement
from harness.domain.ports import StateStore
from harness.domain.rows import DatabaseState
from harness.settings import Settings
from harness.wiring.pair import RunningPair
from legacy_adapter.sqlite import SqliteState

EVIDENCE_DIRECTORY = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeContext:
    """A running pair, the run directory, and how progress is told."""

    pair: RunningPair
    store: EvidenceStore
    run_directory: Path
    settings: Settings
    rules: Rules
    tell: Callable[[str], None] = field(default=lambda _: None)

    def write_evidence(self, name: str, content: object) -> str:
        """Stores `content` as a file of the run directory; returns its path relative to it."""
        relative = f"{EVIDENCE_DIRECTORY}/{name}.json"
        path = self.run_directory / relative
        path.parent.mkdir(exist_ok=True)
        self.store.write_json(relative, content)
        return relative

    def write_lines(self, name: str, rows: Sequence[object]) -> None:
        """Stores raw samples, one JSON document a line; infinities become null."""
        lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        write_atomically(self.run_directory / name, lines)

    async def read_states(self) -> tuple[DatabaseState, DatabaseState]:
        """All rows of the legacy and of the target as they are now."""
        async with self._stores() as (legacy, target):
            return await legacy.read(), await target.read()

    @asynccontextmanager
    async def restored_state(self) -> AsyncIterator[None]:
        """Brings both databases back, afterwards, to what they hold now."""
        async with self._stores() as stores:
            for store in stores:
                await store.capture()
            try:
                yield
            finally:
                for store in stores:
                    await store.restore()

    @asynccontextmanager
    async def _stores(self) -> AsyncIterator[tuple[StateStore, StateStore]]:
        database = self.pair.legacy.database_path
        if database is None:
            raise ConfigurationError("the legacy's database is not named", hint="Set `database` under [legacy].")
        stores = (SqliteState(database), PostgresState(self.pair.target_dsn))
        try:
            yield stores
        finally:
            for store in stores:
                await store.close()

    def temporary_directory(self, name: str) -> Path:
        """A directory that goes when the pair goes."""
        path = self.pair.runtime_directory / "probes" / name
        path.mkdir(parents=True, exist_ok=True)
        return path


def evidence_for_all(
    criteria: Sequence[Criterion],
    *,
    checks: Sequence[Check] = (),
    measurements: Sequence[Measurement] = (),
    paths: Sequence[str] = (),
    samples: int | None = None,
) -> tuple[CriterionEvidence, ...]:
    """The same findings for every criterion of a probe; `samples` defaults to the number of checks."""
    return tuple(
        CriterionEvidence(
            criterion_id=criterion.id,
            checks=tuple(checks),
            measurements=tuple(measurements),
            evidence_paths=tuple(paths),
            samples=len(checks) if samples is None else samples,
        )
        for criterion in criteria
    )
