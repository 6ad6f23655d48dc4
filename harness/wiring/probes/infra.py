"""P1.5, P1.6, P1.7: Terraform applied for real against moto, and what the functions call judged by their roles."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.adapters.http import HttpSide
from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.exchange import Side
from harness.staging.iam.authoriser import JudgedCall
from harness.wiring.functions import local_cloud
from harness.wiring.infra import run_infra_check
from harness.wiring.measure import load_profile
from harness.wiring.probes.context import ProbeContext

_ROLES = "P1.7"


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """What `parakeet infra check` finds; without Terraform or its provider nothing can be told (SystemUnavailable)."""
    report = await run_infra_check(progress=context.tell)
    found = {item.criterion_id: item for item in report.evidence()}
    if _ROLES in {criterion.id for criterion in criteria}:
        found[_ROLES] = replace(found[_ROLES], checks=(*found[_ROLES].checks, *await _check_calls(context)))
    shown = {
        name: [f"{check.name}: {check.passed} {check.detail}" for check in item.checks] for name, item in found.items()
    }
    path = context.write_evidence("infra", {"duration_s": report.duration_s, "checks": shown})
    return tuple(replace(found[criterion.id], evidence_paths=(path,)) for criterion in criteria)


async def _check_calls(context: ProbeContext) -> tuple[Check, ...]:
    """Fresh functions answer one read; what they called on the way is in the authoriser's log."""
    pair = context.pair
    pair.authoriser.calls.clear()
    cloud = local_cloud(pair.definition, pair.artifacts, pair.authoriser, context.temporary_directory("infra"))
    await cloud.start()
    try:
        client = HttpSide(Side.TARGET, cloud.gateway_url)
        try:
            read = next(operation for operation in load_profile().operation if operation.method == "GET")
            await client.send(read.request("infra"))
        finally:
            await client.close()
    finally:
        await cloud.stop()
    return (judge_calls(pair.authoriser.calls), _judge_grants(context))


def judge_calls(calls: Iterable[JudgedCall]) -> Check:
    """Passed if there were calls and each was allowed; names those that were not."""
    made = tuple(calls)
    refused = sorted({f"{call.role}: {call.action}" for call in made if not call.ruling.is_allowed})
    return Check(
        name="every call that the functions make is allowed",
        passed=bool(made) and not refused,
        detail="; ".join(refused) or f"{len(made)} calls",
    )


def _judge_grants(context: ProbeContext) -> Check:
    """A statement that no call rested on was granted and not needed."""
    pair = context.pair
    unused = [
        f"{function.role}: {statement}"
        for function in pair.definition.functions
        for statement in pair.authoriser.unused_statements(function.role)
    ]
    return Check(name="nothing that is granted is unused", passed=not unused, detail="; ".join(unused) or "all used")
