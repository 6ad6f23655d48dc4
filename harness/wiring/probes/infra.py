"""P1.5, P1.6, P1.7: Terraform applied for real against moto, and what the functions call judged by their roles."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.staging.iam.authoriser import JudgedCall
from harness.wiring.functions import local_cloud
from harness.wiring.infra import run_infra_check
from harness.wiring.probes.context import ProbeContext
from harness.wiring.probes.function_calls import load_failing_sources, make_calls

_ROLES = "P1.7"
_BACKGROUND_S = 60.0
_POLL_S = 0.25


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
    """Fresh functions do their everyday work; what they called on the way is in the authoriser's log."""
    pair = context.pair
    keys = [function.key for function in pair.definition.functions]
    failing = load_failing_sources()
    pair.authoriser.calls.clear()
    # Else the pair's own functions, which have read all that they read once, may get the background work.
    async with context.restored_state(), pair.cloud.without_sources():
        cloud = local_cloud(
            pair.definition, pair.artifacts, pair.authoriser, context.temporary_directory("infra"), failing
        )
        await cloud.start()
        try:
            await make_calls(context, cloud, keys)
            await _until_all_is_used(context)
        finally:
            await cloud.stop()
    return (judge_calls(pair.authoriser.calls), _judge_grants(context))


async def _until_all_is_used(context: ProbeContext) -> None:
    """Background work goes on after the answer; what is not used by the end is told as unused."""
    waited_s = 0.0
    while _unused(context) and waited_s < _BACKGROUND_S:
        await asyncio.sleep(_POLL_S)
        waited_s += _POLL_S


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
    unused = _unused(context)
    return Check(name="nothing that is granted is unused", passed=not unused, detail="; ".join(unused) or "all used")


def _unused(context: ProbeContext) -> list[str]:
    pair = context.pair
    return [
        f"{function.role}: {statement}"
        for function in pair.definition.functions
        for statement in pair.authoriser.unused_statements(function.role)
    ]
