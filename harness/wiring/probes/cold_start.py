"""P3.2: cold starts of fresh environments, as a client waits for them."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.domain.criterion import Criterion, CriterionEvidence
from harness.wiring.measure import COLD_START_FILE, cold_start_measurements, load_profile, sample_cold_starts
from harness.wiring.probes.context import ProbeContext, evidence_for_all

COUNT = 93
"""Enough to claim a p95 with one outlier among them: 59 would be enough with none."""

_PROGRESS_EVERY = 31


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Samples of the criterion's function, by the profile's first read."""
    key = criteria[0].subject

    def tell(number: int) -> None:
        if number % _PROGRESS_EVERY == 0:
            context.tell(f"{number} of {COUNT} cold starts")

    samples = await sample_cold_starts(
        context.pair.cloud.pool(key), context.pair.cloud.gateway_url, load_profile(), count=COUNT, on_sample=tell
    )
    context.write_lines(COLD_START_FILE, [asdict(sample) for sample in samples])
    measurements = cold_start_measurements(samples, key)
    return evidence_for_all(criteria, measurements=measurements, paths=[COLD_START_FILE], samples=len(samples))
