"""P3.4: the daily load is right, quick, repeatable, and survives a kill; what it cannot load is recorded."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.domain.criterion import Criterion, CriterionEvidence
from harness.wiring.ingest import ingest_measurements, load_plan, run_ingest
from harness.wiring.probes.context import ProbeContext, evidence_for_all


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Four loads of the whole universe; rows are restored afterwards."""
    plan = load_plan()
    async with context.restored_state():
        findings = await run_ingest(context.pair, plan, context.temporary_directory("ingest"), context.tell)
    path = context.write_evidence("ingest", asdict(findings))
    return evidence_for_all(
        criteria,
        checks=findings.checks,
        measurements=ingest_measurements(findings, plan.function),
        paths=[path],
        samples=len(findings.durations_s),
    )
