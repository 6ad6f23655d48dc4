"""Whole histories on things in memory: every planted race is found, and what keeps the laws is clean."""

import copy
import json
import re

import pytest
from msgspec import structs

from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Exchange, Request
from harness.domain.isolation.campaign import Campaign
from harness.domain.isolation.plan import Size
from harness.domain.isolation.scenario import IsolationScenario, parse_scenario
from harness.domain.isolation.timeline import draw_timeline
from harness.engine.isolation import IsolationTarget
from harness.engine.isolation_campaign import CampaignHooks, CampaignPlan, run_campaign
from tests.builders.racy_things import DEFECTS, SCENARIO, RacyThings, things_scenario

FIELDS = things_scenario().row.fields
TOKEN = ("authorization", "Bearer t")
SIZE = Size(clients=6, keys=2, ops_per_client=3)


async def run(
    things: RacyThings, histories: int, *, until: str | None = None, scenario: IsolationScenario | None = None
) -> Campaign:
    target = IsolationTarget(client=things, scenario=scenario or things_scenario(), headers=(TOKEN,))
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
    things, scenario = RacyThings(failing_share=0.1), things_scenario()
    scenario = structs.replace(scenario, row=structs.replace(scenario.row, fields=fields))
    campaign = await run(things, 20, scenario=scenario)
    assert campaign.unknown > 20
    assert campaign.found == {}
    assert campaign.undecided == 0
    assert not things.rows, "what is refused for a while is deleted later"


class Guarded(RacyThings):
    """Things that nobody may ask for without a token."""

    async def send(self, request: Request) -> Exchange:
        assert TOKEN in request.headers, request.url
        return await super().send(request)


class Wrapped(RacyThings):
    """Shows every thing in an envelope, and pages as bare lists without a count."""

    async def send(self, request: Request) -> Exchange:
        exchange = await super().send(request)
        assert exchange.response is not None
        shown = json.loads(exchange.response.body or b"null")
        body = json.dumps(shown["things"] if shown and "things" in shown else {"data": shown}).encode()
        return structs.replace(exchange, response=structs.replace(exchange.response, body=body))


def wrapped_scenario() -> IsolationScenario:
    raw = copy.deepcopy(SCENARIO)
    for operation in raw["operation"]:
        if "page" in operation:
            operation["page"] = {"rows": "", "sizes": [2, 50], "pages": [1, 2]}
        else:
            operation["row"] = "/data"
    return parse_scenario(raw, where="here")


async def test_a_row_in_an_envelope_and_a_page_without_a_count_are_judged_too() -> None:
    assert (await run(Wrapped(), 10, scenario=wrapped_scenario())).found == {}
    found = (await run(Wrapped("lost update"), 10, scenario=wrapped_scenario())).found
    assert any(title.startswith("lost update") for title in found)


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
