"""P1.parity: after the migration, rows are equal on both sides."""

import secrets
from collections.abc import Sequence

from harness.domain.compare_rows import compare_states
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.redacted_rows import redact_row_difference
from harness.domain.redaction import Redactor
from harness.domain.rows import DatabaseState, TableSchema
from harness.wiring.migrate import row_mapping
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_SHOWN = 5


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Every row of every table that the legacy has."""
    legacy, target = await context.read_states()
    found = compare_states(legacy, target, mapping=row_mapping(context.settings.rows))
    schemas, redactor = (_schemas(legacy), _schemas(target)), Redactor(key=secrets.token_bytes(32))
    differences = [redact_row_difference(each, schemas, redactor) for each in found]
    path = context.write_evidence(
        "row_parity",
        {"legacy": _counts(legacy), "target": _counts(target), "differences": [d.pointer for d in differences]},
    )
    rows = sum(_counts(legacy).values())
    shown = "; ".join(f"{d.pointer}: {d.legacy} against {d.target}" for d in differences[:_SHOWN])
    detail = f"{len(differences)} differences in {rows} rows" + (f": {shown}" if shown else "")
    check = Check(name="rows are equal", passed=not differences, detail=detail)
    return evidence_for_all(criteria, checks=[check], paths=[path], samples=rows)


def _schemas(state: DatabaseState) -> dict[str, TableSchema]:
    return {name: table.schema for name, table in state.items()}


def _counts(state: DatabaseState) -> dict[str, int]:
    return {table: len(content.rows) for table, content in sorted(state.items())}
