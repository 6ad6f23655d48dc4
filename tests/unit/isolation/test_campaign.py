"""Whole histories on things in memory: every planted race is found, and what keeps the laws is clean."""

import re

import pytest
from msgspec import structs

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Exchange, Request
from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.plan import Size
from harness.domain.isolation.timeline import draw_timeline
from harness.engine.isolation import IsolationTarget
from harness.engine.isolation_campaign import CampaignHooks, CampaignPlan, run_campaign
from tests.builders.racy_things import DEFECTS, RacyThings, things_scenario

FIELDS = things_scenario().row.fields
TOKEN = ("authorization", "Bearer t")
SIZE = Size(clients=6, keys=2, ops_per_client=3)


async def run(
    things: RacyThings, histories: int, *, until: str | None = None, fields: tuple[str, ...] = FIELDS
) -> Campaign:
    scenario = things_scenario()
    scenario = structs.replace(scenario, row=structs.replace(scenario.row, fields=fields))
    target = IsolationTarget(client=things, scenario=scenario, headers=(TOKEN,))
    plan = CampaignPlan(
        run="T",
        seed=7,
        size=SIZE,
        duration_s=60.0,
        histories=histories,
        until=lambda campaign: until is not None and any(title.startswith(until) for title in campaign.found),
    )
    return await run_campaign(target, plan, CampaignHooks())


async def test_a_system_that_keeps_the_laws_is_clean() -> None:
    things = RacyThings()
    campaign = await run(things, 30)
    assert (campaign.histories, campaign.undecided, campaign.found) == (30, 0, {})
    assert campaign.contended > 10
    assert not things.rows, "a history leaves no row behind"


@pytest.mark.parametrize("fields", [FIELDS, ("state", "label", "price")])
async def test_operations_without_an_outcome_are_no_finding(fields: tuple[str, ...]) -> None:
    things = RacyThings(failing_share=0.1)
    campaign = await run(things, 20, fields=fields)
    assert campaign.unknown > 20
    assert campaign.found == {}
    assert campaign.undecided == 0
    assert not things.rows, "what is refused for a while is deleted later"


class Guarded(RacyThings):
    """Things that nobody may ask for without a token."""

    async def send(self, request: Request) -> Exchange:
        assert TOKEN in request.headers, request.url
        return await super().send(request)


class Labelled(RacyThings):
    """Things with many labels each."""

    async def send(self, request: Request) -> Exchange:
        exchange = await super().send(request)
        assert exchange.response is not None
        body = re.sub(rb'"label": ("[^"]*")', rb'"label": [\1]', exchange.response.body)
        return structs.replace(exchange, response=structs.replace(exchange.response, body=body))


async def test_a_field_that_is_no_single_value_cannot_be_watched() -> None:
    with pytest.raises(SystemUnavailable) as refused:
        await run(Labelled(), 1)
    assert "at '/label' is no single value" in refused.value.what
    assert "/things" in refused.value.where, "which operation it was"


async def test_every_request_carries_the_token_those_that_clean_up_as_well() -> None:
    things = Guarded(failing_share=0.1)
    await run(things, 5)
    assert not things.rows


@pytest.mark.parametrize("defect", DEFECTS)
async def test_every_planted_race_is_found_and_named(defect: str) -> None:
    campaign = await run(RacyThings(defect), 60, until=defect)
    (finding,) = [found for found, _ in campaign.findings if found.title.startswith(defect)][:1]
    assert len(finding.core) <= 3, draw_timeline(finding)


async def test_the_same_seed_finds_the_same() -> None:
    first, second = [await run(RacyThings("double seal"), 5) for _ in range(2)]
    assert first.statuses == second.statuses
    assert first.found == second.found
