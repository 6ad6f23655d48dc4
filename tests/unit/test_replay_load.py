"""Replay under load: who may take part, the schedule, and that every answer is compared."""

import itertools
import statistics
from datetime import date

import pytest

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Outcome
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Side
from harness.domain.operation import OperationTemplates
from harness.domain.record import Origin, SessionRecord
from harness.domain.replay_load import (
    LoadPlan,
    LoadSeen,
    leaves_state_alone,
    plan_sessions,
    require_leaving_state_alone,
)
from harness.domain.session import Session, Step
from harness.engine.replay_load import MAX_FAILURES_IN_A_ROW, LoadReplay, replay_at_rest
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from tests.builders.worlds import Clock, World

RULES = Rules(today=date(2026, 3, 1))
TEMPLATES = OperationTemplates()


def session(name: str, *requests: str, tags: tuple[str, ...] = ()) -> Session:
    steps = tuple(
        Step(n=number, name=text, method=text.split()[0], url=text.split()[1])
        for number, text in enumerate(requests, start=1)
    )
    return Session(id=name, group="things", steps=steps, tags=tags)


READ, TIME, WRITE = session("read", "GET /1", "GET /2"), session("time", "GET /time"), session("write", "POST /")


def plan(**changes: object) -> LoadPlan:
    return LoadPlan(**({"rate": 20.0, "count": 40, "limit_s": 1e6} | changes))  # type: ignore[arg-type]


class Load:
    """Two worlds, the sessions at rest, then under load."""

    def __init__(self, *, concurrency: int = 4) -> None:
        self.clock = Clock()
        self.worlds = {side: World(side, self.clock, rows={1: "a", 2: "b"}) for side in Side}
        self.records: list[SessionRecord] = []
        self.options = ReplayOptions(
            sleep=self.clock.sleep, monotonic=self.clock.monotonic, clock=self.clock.utc, concurrency=concurrency
        )
        self.sides = (ReplaySide(client=self.worlds[Side.LEGACY]), ReplaySide(client=self.worlds[Side.TARGET]))

    async def rest(self, *sessions: Session) -> None:
        at_rest = await replay_at_rest(sessions, self.sides, TEMPLATES, self.options)
        self.sessions, self.replay = sessions, LoadReplay(self.sides, TEMPLATES, at_rest, self.options)

    async def run(self, made: LoadPlan | None = None) -> LoadSeen:
        made = made or plan()
        return await self.replay.run(plan_sessions(self.sessions, made), made, self.records.append)

    def outcomes(self) -> list[Outcome]:
        return [found.outcome for record in self.records for found in judge_session(record, RULES)]


def test_the_schedule_repeats_is_even_and_has_the_rate():
    arrivals = plan_sessions((READ, TIME, WRITE), plan(count=3001, rate=50.0))
    assert arrivals == plan_sessions((READ, TIME, WRITE), plan(count=3001, rate=50.0))
    assert arrivals != plan_sessions((READ, TIME, WRITE), plan(count=3001, rate=50.0, seed="other"))
    assert [each.number for each in arrivals] == list(range(1, 3002))
    assert len({each.session.id for each in arrivals}) == 3001
    names = [each.session.id.partition("@")[0] for each in arrivals]
    assert sorted(names.count(name) for name in ("read", "time", "write")) == [1000, 1000, 1001]
    gaps = [after.at_s - before.at_s for before, after in itertools.pairwise(arrivals)]
    assert statistics.fmean(gaps) == pytest.approx(1 / 50, rel=0.1)
    # Of a Poisson process the gaps vary as much as they are long; a metronome's would not.
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.15)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (READ, True),
        (WRITE, False),
        (session("both", "GET /1", "DELETE /1"), False),
        (session("computes", "POST /sum", tags=("stateless",)), True),
        (session("remembers", "GET /1", tags=("process_memory",)), False),
    ],
)
def test_what_writes_or_needs_a_fresh_process_takes_no_part(made: Session, expected: bool):
    assert leaves_state_alone(made) is expected


def test_writing_sessions_are_refused_by_name():
    with pytest.raises(ConfigurationError, match="need it: write, w0, w1, w2, w3 and 2 more"):
        require_leaving_state_alone([READ, WRITE, *(session(f"w{n}", "PUT /1") for n in range(6))])


async def test_every_answer_is_compared_and_records_come_in_order():
    load = Load()
    for world, delays in zip(load.worlds.values(), ([3, 0, 5], [0, 7, 1]), strict=True):
        world.delays = delays
    await load.rest(READ, TIME)
    seen = await load.run()
    assert [int(record.session_id.rpartition("@")[2]) for record in load.records] == list(range(1, 41))
    assert {record.origin for record in load.records} == {Origin.GENERATED}
    assert len(load.outcomes()) == seen.requests == 60
    assert set(load.outcomes()) == {Outcome.IDENTICAL, Outcome.NOISY}
    assert (seen.planned, seen.started, len(seen.late_ms)) == (40, 40, 40)


async def test_an_answer_that_is_wrong_only_under_load_is_different():
    load = Load()
    target = load.worlds[Side.TARGET]
    await load.rest(READ)
    target.answers["/2"] = [{"id": 2, "name": "b"}] * 30 + [{"id": 2, "name": "of another"}, {"id": 2, "name": "b"}]
    await load.run()
    assert load.outcomes().count(Outcome.DIFFERENT) == 1
    assert load.outcomes().count(Outcome.IDENTICAL) == 79


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_sessions_run_at_once_than_allowed(concurrency: int):
    load = Load(concurrency=concurrency)
    load.worlds[Side.LEGACY].delays = [4]
    await load.rest(READ)
    await load.run()
    assert load.worlds[Side.LEGACY].most_at_once == concurrency


async def test_nothing_starts_after_the_limit():
    load = Load()
    await load.rest(READ)
    seen = await load.run(plan(limit_s=1.0))
    assert 0 < seen.started == len(load.records) < 40


async def test_a_side_that_falls_silent_ends_it_and_what_was_seen_is_handed_over():
    load = Load()
    await load.rest(READ)
    load.worlds[Side.TARGET].down_after = 22
    with pytest.raises(SystemUnavailable, match=f"{MAX_FAILURES_IN_A_ROW} requests in a row"):
        await load.run()
    outcomes = load.outcomes()
    assert outcomes.count(Outcome.IDENTICAL) == 20
    assert len(outcomes) >= 20 + MAX_FAILURES_IN_A_ROW
