"""State attribution by bisecting, on two systems in memory."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from harness.domain.compare.rules import Rules
from harness.domain.exchange import Exchange, Request, Side
from harness.domain.rows import DatabaseState
from harness.domain.session import Session, Step
from harness.engine.bisect import find_cause
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from tests.builders.worlds import Clock, World

RULES = Rules(today=date(2026, 3, 1))
JSON = (("content-type", "application/json"),)


@dataclass(slots=True)
class Forgetful(World):
    """Answers every deletion of the thing called `kept` rightly, and does not delete it."""

    reads: int = 0
    forgets: bool = True

    async def send(self, request: Request) -> Exchange:
        before = dict(self.rows)
        exchange = await World.send(self, request)
        if self.forgets and request.method == "DELETE":
            self.rows |= {key: name for key, name in before.items() if name == "kept"}
        return exchange

    async def read(self) -> DatabaseState:
        self.reads += 1
        return await World.read(self)


def session(length: int, at: int) -> Session:
    """Creates the thing, reads for long, deletes it at a position, and reads again."""
    create = Step(n=1, name="create", method="POST", url="/things", headers=JSON, body='{"name":"kept"}')
    steps = [replace(create, save=(("id", "/id"),))]
    for n in range(2, length + 1):
        method = "DELETE" if n == at else "GET"
        steps.append(Step(n=n, name=f"{method} {n}", method=method, url="/things/{{id}}" if n <= at else "/time"))
    return Session(id="s", group="things", steps=tuple(steps))


def pair(*, forgets: bool = True) -> tuple[World, Forgetful, tuple[ReplaySide, ReplaySide], ReplayOptions]:
    clock = Clock()
    legacy, target = World(side=Side.LEGACY, clock=clock), Forgetful(side=Side.TARGET, clock=clock, next_id=70)
    target.forgets = forgets
    options = ReplayOptions(sleep=clock.sleep, monotonic=clock.monotonic, clock=clock.utc)
    return legacy, target, (ReplaySide(client=legacy, store=legacy), ReplaySide(client=target, store=target)), options


@pytest.mark.parametrize(("length", "at"), [(2, 2), (5, 2), (5, 5), (16, 9), (33, 31)])
async def test_the_request_that_leaves_the_rows_apart_is_named(length: int, at: int) -> None:
    legacy, target, sides, options = pair()
    cause = await find_cause(session(length, at), sides, RULES, options)
    assert cause.step is not None and cause.step.name == f"DELETE {at}"
    assert cause.replays <= 2 + length.bit_length()
    assert target.reads <= 1 + 4 * cause.replays, "rows are read at the ends of parts only"
    assert (legacy.rows, target.rows) == ({}, {}), "the state was brought back"


async def test_rows_that_stay_alike_have_no_cause() -> None:
    _, _, sides, options = pair(forgets=False)
    cause = await find_cause(session(6, 4), sides, RULES, options)
    assert cause.step is None and cause.replays == 1
