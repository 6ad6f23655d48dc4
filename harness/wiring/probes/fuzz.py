"""P4.errors: cases made from the target's OpenAPI document are answered within it, and never with a 5xx."""

from collections.abc import Sequence

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.fuzz import FuzzFindings
from harness.wiring.fuzz import describe_findings, fuzz_target, load_exclusions
from harness.wiring.pair import mint_token
from harness.wiring.probes.context import ProbeContext, evidence_for_all

FEWEST_CASES = 2_000
_EXAMPLES = 50


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Through the gateway, into the built artifacts; both databases are as before afterwards."""
    token = mint_token(context.pair.target_jwt_secret_file)
    async with context.restored_state():
        findings = await fuzz_target(context.pair.cloud.gateway_url, load_exclusions(), examples=_EXAMPLES, token=token)
    path = context.write_evidence("fuzz", describe_findings(findings))
    cases = findings.observations.cases
    return evidence_for_all(criteria, checks=_checks(findings), paths=[path], samples=cases)


def _checks(findings: FuzzFindings) -> tuple[Check, ...]:
    seen = findings.observations
    unexplained = len(findings.unexplained)
    return (
        Check(
            name="enough cases were sent and judged",
            passed=seen.cases >= FEWEST_CASES and not seen.problems,
            detail=f"{seen.cases:,} cases on {seen.operations} operations, at least {FEWEST_CASES:,} are asked for; "
            f"{len(seen.problems)} problems",
        ),
        Check(
            name="no answer of 5xx",
            passed=findings.server_errors == 0,
            detail=f"{findings.server_errors} answers of 5xx",
        ),
        Check(
            name="no answer outside the document",
            passed=unexplained == 0,
            detail=f"{unexplained} unexplained of {seen.checks:,} checks, "
            f"{sum(count for _, count in findings.excluded):,} accepted",
        ),
    )
