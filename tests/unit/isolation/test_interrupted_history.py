"""A history that is interrupted takes its rows away all the same, those that were being made as well."""

import asyncio
import itertools
from functools import partial

import pytest

from harness.domain.exchange import Exchange, Request
from harness.domain.isolation.plan import Size, plan_history
from harness.engine.isolation import IsolationTarget, run_history
from tests.builders.interruption import Interruption
from tests.builders.racy_things import RacyThings, things_scenario


class Served:
    """As a slow system of its own answers: what nobody waits for any more is done all the same, behind all the rest."""

    def __init__(self, things: RacyThings) -> None:
        self._things = things
        self._given_up = list[Request]()

    async def send(self, request: Request) -> Exchange:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._given_up.append(request)
            raise
        return await self._things.send(request)

    async def settle(self) -> None:
        for request in self._given_up:
            await self._things.send(request)


@pytest.mark.parametrize("is_late", [False, True], ids=["as it asks", "as the answer comes"])
async def test_no_row_is_left_whenever_the_interrupt_comes(is_late: bool) -> None:
    scenario = things_scenario()
    plan = plan_history(scenario, Size(clients=3, keys=2, ops_per_client=2), seed=7, number=1, run="T")
    for at in itertools.count(1, 7):
        things = RacyThings()
        served = Served(things)
        interruption = Interruption(at, is_late=is_late)
        target = IsolationTarget(client=served, scenario=scenario)
        await interruption.during(partial(run_history, target, plan))
        await served.settle()
        assert not things.rows, at
        if not interruption.has_come:
            break
    assert at > 50
