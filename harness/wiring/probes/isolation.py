"""P4.isolation: what concurrent clients see of the target has a serial explanation by a model that the legacy keeps."""

from collections.abc import Sequence

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.exchange import Side
from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.records import campaign_record
from harness.engine.isolation_campaign import CampaignHooks, CampaignPlan, run_campaign
from harness.wiring.isolation import check_model, load_isolation, new_run_name, open_side, progress
from harness.wiring.pair import mint_token
from harness.wiring.probes.context import ProbeContext, evidence_for_all

DURATION_S = 45.0
_TOLD_EVERY = 10


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Through the gateway, into as many execution environments as there are clients; both databases are as before."""
    pair, scenario = context.pair, load_isolation()
    token = mint_token(pair.target_jwt_secret_file)
    plan = CampaignPlan(run=new_run_name(), duration_s=DURATION_S)
    hooks = CampaignHooks(on_progress=lambda campaign: _tell(context, campaign))
    async with (
        context.restored_state(),
        open_side(Side.LEGACY, pair.legacy.url, scenario) as legacy,
        open_side(Side.TARGET, pair.cloud.gateway_url, scenario, token) as target,
    ):
        model = await check_model(legacy, scenario)
        campaign = await run_campaign(target, plan, hooks)
    path = context.write_evidence("isolation", {"target": campaign_record(campaign), "model": campaign_record(model)})
    checks = judge_isolation(campaign, model)
    return evidence_for_all(criteria, checks=checks, paths=[path], samples=campaign.histories)


def _tell(context: ProbeContext, campaign: Campaign) -> None:
    if campaign.histories % _TOLD_EVERY == 0:
        context.tell(progress(campaign))


def judge_isolation(target: Campaign, model: Campaign) -> tuple[Check, ...]:
    """Passes where writes met, every search ended and nothing was found; what the legacy breaks judges nobody."""
    found = ", ".join(f"{count} × {finding.title}" for finding, count in target.findings)
    wrong = ", ".join(title for title, _ in model.found.most_common()) or "none contradicts it"
    is_right = model.histories > 0 and not model.found and not model.undecided
    return (
        Check(
            name="the serial model agrees with the legacy",
            passed=is_right or None,
            detail=f"{model.histories} serial histories, {model.operations:,} operations; {wrong}",
        ),
        Check(
            name="writes of one row met",
            passed=target.contended > 0 or None,
            detail=f"in {target.contended} of {target.histories} histories; "
            f"{target.unknown:,} of {target.operations:,} operations without an outcome",
        ),
        Check(
            name="every search for a serial explanation ended",
            passed=target.undecided == 0 or None,
            detail=f"{target.undecided} of {target.searches:,} were given up",
        ),
        Check(
            name="every history has a serial explanation",
            passed=not target.found or (False if is_right else None),
            detail=found or "no finding",
        ),
    )
