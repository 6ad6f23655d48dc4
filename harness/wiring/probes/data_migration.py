"""P1.2: a legacy database of either schema generation migrates without loss, and a second time changes nothing."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import DataRefused
from harness.engine.migration import Migration
from harness.wiring.migrate import migrate_rows
from harness.wiring.pair import upgrade_schema
from harness.wiring.probes.context import ProbeContext, evidence_for_all
from legacy_adapter.seed import write_seed_database

_GENERATIONS = ("current", "older")


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Each generation into an empty database of the target's schema; every row is read back and compared."""
    checks: list[Check] = []
    facts: dict[str, object] = {}
    for generation in _GENERATIONS:
        try:
            first, again = await _migrate_twice(context, generation)
        except DataRefused as refusal:
            checks.append(Check(name=f"the {generation} generation migrates", passed=False, detail=str(refusal)))
            continue
        facts[generation] = {"first": asdict(first), "again": asdict(again)}
        checks += _checks(generation, first, again)
    path = context.write_evidence("data_migration", facts)
    return evidence_for_all(criteria, checks=checks, paths=[path])


async def _migrate_twice(context: ProbeContext, generation: str) -> tuple[Migration, Migration]:
    directory = context.temporary_directory("data_migration")
    source = directory / f"{generation}.db"
    write_seed_database(source, older_generation=generation == "older")
    dsn = await context.pair.postgres.create_database(f"probe_data_{generation}")
    await upgrade_schema(dsn, directory / f"{generation}.log")
    return await migrate_rows(source, dsn), await migrate_rows(source, dsn)


def _checks(generation: str, first: Migration, again: Migration) -> tuple[Check, Check]:
    rows = sum(table.legacy_rows for table in first.tables)
    verified = sum(table.verified_rows for table in first.tables)
    return (
        Check(
            name=f"the {generation} generation migrates without loss",
            passed=rows > 0 and verified == rows,
            detail=f"{verified} of {rows} rows verified in {len(first.tables)} tables",
        ),
        Check(
            name=f"the {generation} generation a second time changes nothing",
            passed=again.is_unchanged and not any(table.written_rows for table in again.tables),
        ),
    )
