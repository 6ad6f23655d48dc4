"""P3.3.smoke: a short Locust load on staging is answered without a failure."""

from collections.abc import Sequence
from dataclasses import asdict

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.wiring.measure import run_load
from harness.wiring.probes.context import ProbeContext, evidence_for_all

USERS = 5
RUN_TIME_S = 15


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Judged from Locust's JSON; no request at all is a failure."""
    async with context.restored_state():
        run = await run_load(
            context.pair.cloud.gateway_url,
            users=USERS,
            run_time_s=RUN_TIME_S,
            log_directory=context.temporary_directory("locust"),
        )
    path = context.write_evidence("load", asdict(run))
    checks = (
        Check(name="requests were sent", passed=run.requests > 0, detail=f"{run.requests} requests"),
        Check(
            name="none failed",
            passed=run.failures + run.throttled == 0,
            detail=f"{run.failures} of {run.requests} failed, {run.throttled} were throttled",
        ),
    )
    return evidence_for_all(criteria, checks=checks, paths=[path], samples=run.requests)
