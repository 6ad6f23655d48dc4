"""Schema parity with the real databases: which side is where, what is accepted, what is kept."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.adapters.evidence_store import require_empty, write_atomically
from harness.adapters.postgres_schema import read_postgres_schema_facts
from harness.adapters.sqlite_schema import read_sqlite_schema_facts
from harness.domain.errors import unwritable
from harness.domain.findings import DIFFERENCES_FILE
from harness.domain.schema.acceptance import Acceptance, SchemaParity, explain
from harness.domain.schema.compare import compare_schemas
from harness.domain.schema.facts import SchemaFacts
from harness.settings import Settings
from harness.wiring.migrate import row_mapping

ACCEPTED_FILE = "accepted.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaParityRequest:
    """What to compare; the legacy is a SQLite file, or a PostgreSQL address."""

    legacy: str = field(repr=False)
    target_dsn: str = field(repr=False)
    settings: Settings
    out: Path | None = None
    """A directory that keeps every difference."""


async def compare_declared(request: SchemaParityRequest) -> SchemaParity:
    """Compares what both databases declare.

    Raises:
        ConfigurationError: an address, a file or the directory cannot be used.
        SystemUnavailable: a database does not answer.
    """
    if request.out is not None:
        require_empty(request.out)
    legacy = await _read(request.legacy)
    target = await read_postgres_schema_facts(request.target_dsn)
    found = explain(
        compare_schemas(legacy, target, row_mapping(request.settings.rows)),
        [
            Acceptance(at=each.at, legacy=each.legacy, target=each.target, reason=each.reason)
            for each in request.settings.schema.accept
        ],
        tables=len(legacy.tables),
        columns=sum(len(table.columns) for table in legacy.tables.values()),
    )
    if request.out is not None:
        _keep(request.out, found)
    return found


async def _read(address: str) -> SchemaFacts:
    if "://" in address:
        return await read_postgres_schema_facts(address)
    return await asyncio.to_thread(read_sqlite_schema_facts, Path(address))


def _keep(directory: Path, found: SchemaParity) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write_lines(directory / ACCEPTED_FILE, found.accepted)
        _write_lines(directory / DIFFERENCES_FILE, found.unexplained)
    except OSError as error:
        hint = "Give a directory that can be written to, with room left."
        raise unwritable(error, where=str(directory), hint=hint) from error


def _write_lines(path: Path, rows: Iterable[object]) -> None:
    write_atomically(path, msgspec.json.Encoder().encode_lines(rows))
