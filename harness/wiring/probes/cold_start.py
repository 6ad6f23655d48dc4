"""P3.2: cold starts of fresh environments of each function, as a client waits for them."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.domain.criterion import Criterion, CriterionEvidence
from harness.engine.cold_start import ColdStartSample
from harness.wiring.measure import COLD_START_FILE, cold_start_measurements, sample_cold_starts
from harness.wiring.probes.context import ProbeContext, evidence_for_all
from harness.wiring.probes.function_calls import calls_of, reading_request

LEAST = 59
"""Enough to claim a p95 if none lies above the target; 93 if one does."""

_PROGRESS_EVERY = 31


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Samples of each criterion's function, one function after another."""
    found: list[CriterionEvidence] = []
    rows: list[object] = []
    for criterion in criteria:
        key = criterion.subject
        samples = await _sample(context, key)
        rows += [{"function": key, **asdict(sample)} for sample in samples]
        context.write_lines(COLD_START_FILE, rows)
        measurements = cold_start_measurements(samples, key)
        found += evidence_for_all([criterion], measurements=measurements, paths=[COLD_START_FILE], samples=len(samples))
    return tuple(found)


async def _sample(context: ProbeContext, key: str) -> tuple[ColdStartSample, ...]:
    count = max(LEAST, calls_of(key).cold_starts)

    def tell(number: int) -> None:
        if number % _PROGRESS_EVERY == 0:
            context.tell(f"{number} of {count} cold starts of {key}")

    cloud = context.pair.cloud
    return await sample_cold_starts(
        cloud.pool(key), cloud.gateway_url, reading_request(key), count=count, on_sample=tell
    )
