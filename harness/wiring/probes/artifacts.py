"""P3.1: functions run from built artifacts, with their layers, under Lambda's size limit."""

from collections.abc import Sequence

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.staging.artifact_cache import BuiltArtifact
from harness.staging.build import MAX_UNZIPPED_BYTES
from harness.wiring.probes.context import ProbeContext
from harness.wiring.probes.function_calls import make_calls


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """For the function that each criterion is about: what is deployed, of what size, with which layers."""
    artifacts = context.pair.artifacts
    await _call_once(context, criteria)
    built = {f"functions/{key}": artifact for key, artifact in artifacts.functions.items()}
    built |= {f"layers/{key}": artifact for key, artifact in artifacts.layers.items()}
    path = context.write_evidence("artifacts", {name: _facts(artifact) for name, artifact in built.items()})
    return tuple(
        CriterionEvidence(
            criterion_id=criterion.id,
            checks=_checks(context, criterion.subject),
            evidence_paths=(path,),
            samples=1,
        )
        for criterion in criteria
    )


async def _call_once(context: ProbeContext, criteria: Sequence[Criterion]) -> None:
    """Functions that nothing has called yet run once, so that it is known whether they do."""
    cloud, deployed = context.pair.cloud, {function.key for function in context.pair.definition.functions}
    called = [found.subject for found in criteria if found.subject in deployed]
    await make_calls(context, cloud, [key for key in called if not cloud.pool(key).reports])


def _checks(context: ProbeContext, key: str) -> tuple[Check, ...]:
    artifact = context.pair.artifacts.functions.get(key)
    deployed = next((function for function in context.pair.definition.functions if function.key == key), None)
    if artifact is None or deployed is None:
        missing = "has no handler to build" if artifact is None else "is not in terraform/"
        return (Check(name="deployed from its artifact", passed=False, detail=f"{key} {missing}"),)
    layers = [context.pair.artifacts.layers[layer] for layer in deployed.layers]
    total = sum(part.unzipped_bytes for part in (artifact, *layers))
    started = bool(context.pair.cloud.pool(key).reports)
    return (
        Check(name="deployed from its artifact", passed=started, detail=f"sha256 {artifact.sha256}"),
        Check(name="with layers", passed=bool(layers), detail=", ".join(deployed.layers)),
        Check(
            name="under the size limit",
            passed=total <= MAX_UNZIPPED_BYTES,
            detail=f"{total / 1e6:.1f} MB of {MAX_UNZIPPED_BYTES / 1e6:.1f} MB unzipped",
        ),
    )


def _facts(artifact: BuiltArtifact) -> dict[str, object]:
    return {"sha256": artifact.sha256, "unzipped_bytes": artifact.unzipped_bytes}
