"""P1.parity: after the migration, rows are equal on both sides."""

from collections.abc import Sequence

from harness.domain.compare_rows import compare_states
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.rows import DatabaseState
from harness.wiring.migrate import row_mapping
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_SHOWN = 5


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Every row of every table that the legacy has."""
    legacy, target = await context.read_states()
    differences = compare_states(legacy, target, mapping=row_mapping(context.settings.rows))
    path = context.write_evidence(
        "row_parity",
        {"legacy": _counts(legacy), "target": _counts(target), "differences": [d.pointer for d in differences]},
    )
    rows = sum(_counts(legacy).values())
    shown = "; ".join(f"{d.pointer}: {d.legacy} against {d.target}" for d in differences[:_SHOWN])
    detail = f"{len(differences)} differences in {rows} rows" + (f": {shown}" if shown else "")
    check = Check(name="rows are equal", passed=not differences, detail=detail)
    return evidence_for_all(criteria, checks=[check], paths=[path], samples=rows)


def _counts(state: DatabaseState) -> dict[str, int]:
    return {table: len(content.rows) for table, content in sorted(state.items())}
