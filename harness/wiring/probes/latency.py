"""P4.latency: open-loop latency of both sides, interleaved, with an A/A control."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.domain.criterion import Criterion, CriterionEvidence
from harness.engine.latency import LatencyPlan
from harness.wiring.measure import LATENCY_FILE, latency_measurements, load_profile, sample_latency
from harness.wiring.probes.context import ProbeContext, evidence_for_all


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Enough requests on each side for the p99 that is claimed; what they wrote is taken back afterwards."""
    plan = LatencyPlan()
    legacy, target = context.pair.legacy.url, context.pair.cloud.gateway_url
    async with context.restored_state():
        samples = await sample_latency(
            legacy, target, plan, load_profile(), lambda done: context.tell(f"round {done} of {plan.rounds}")
        )
    context.write_lines(LATENCY_FILE, [asdict(sample) for sample in samples])
    measurements = latency_measurements(samples)
    return evidence_for_all(criteria, measurements=measurements, paths=[LATENCY_FILE], samples=len(samples))
