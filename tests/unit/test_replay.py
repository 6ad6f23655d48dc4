"""The replay engine against two systems in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Exchange, Request, Side
from harness.domain.ports import StateStore
from harness.domain.record import Origin, SessionRecord
from harness.domain.session import Poll, Session, Step
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from tests.builders.worlds import Clock, World

JSON = (("content-type", "application/json"),)


class Pair:
    """Both worlds on one clock, and what came out of replaying on them."""

    def __init__(self, *, with_state: bool = True) -> None:
        self.clock = Clock()
        self.legacy = World(side=Side.LEGACY, clock=self.clock)
        self.target = World(side=Side.TARGET, clock=self.clock, next_id=101)
        self.records: list[SessionRecord] = []
        self.with_state = with_state
        self.options = ReplayOptions(sleep=self.clock.sleep, monotonic=self.clock.monotonic, clock=self.clock.utc)
        self.tokens: dict[Side, str | None] = {Side.LEGACY: None, Side.TARGET: None}

    def side(self, world: World) -> ReplaySide:
        store: StateStore | None = world if self.with_state else None
        authorize = lambda kind: f"Bearer {kind}-for-{world.side}"  # noqa: E731
        return ReplaySide(client=world, store=store, authorize=authorize, token=self.tokens[world.side])

    async def replay(self, *sessions: Session) -> list[SessionRecord]:
        await replay_sessions(
            sessions,
            self.side(self.legacy),
            self.side(self.target),
            on_record=self.records.append,
            options=self.options,
        )
        return self.records


def step(method: str, url: str, *, n: int = 1, body: str | None = None, **more: object) -> Step:
    headers = JSON if body is not None else ()
    return replace(Step(n=n, name=f"{method} {url}", method=method, url=url, headers=headers, body=body), **more)  # type: ignore[arg-type]


def session(*steps: Step, name: str = "s", tags: Sequence[str] = ()) -> Session:
    numbered = tuple(replace(each, n=n) for n, each in enumerate(steps, start=1))
    return Session(id=name, group="things", steps=numbered, source="s.json", tags=tuple(tags))


CREATE = step("POST", "/things", body='{"name": "a"}', save=(("id", "/id"),))
READ = step("GET", "/things/{{id}}")


async def test_saved_values_are_each_sides_own_and_what_differs_is_noted() -> None:
    pair = Pair()
    (record,) = await pair.replay(session(CREATE, READ))
    read = record.steps[1]
    assert (read.pair.legacy.request.url, read.pair.target.request.url) == ("/things/1", "/things/101")
    assert [exchange.response.status for exchange in (read.pair.legacy, read.pair.target) if exchange.response] == [
        200
    ] * 2
    assert "{{id}}: 1 -> 101" in read.sent_differently
    assert record.steps[0].sent_differently == ()


async def test_ids_that_a_session_spells_out_are_the_legacys() -> None:
    pair = Pair()
    (record,) = await pair.replay(session(CREATE, step("GET", "/things/1"), step("DELETE", "/things/{{id}}")))
    assert record.steps[1].pair.target.request.url == "/things/101"
    assert record.steps[1].sent_differently
    assert record.steps[2].pair.target.request.url == "/things/101", "a saved id must not be translated twice"


async def test_row_changes_belong_to_the_step_that_caused_them() -> None:
    pair = Pair()
    pair.legacy.rows = {50: "old"}
    pair.target.rows = {50: "old"}
    (record,) = await pair.replay(session(step("GET", "/things/50"), CREATE, READ, step("DELETE", "/things/50")))
    changes = [[(c.before, c.after) for c in each.legacy_changes] for each in record.steps]
    assert changes == [[], [(None, (1, "a"))], [], [((50, "old"), None)]]
    assert [c.after for c in record.steps[1].target_changes] == [(101, "a")]
    assert record.compares_state and set(record.legacy_schemas) == {"things"}


async def test_a_commit_just_after_the_answer_is_not_a_lost_write() -> None:
    pair = Pair()
    pair.target.commits_late = True
    (record,) = await pair.replay(session(CREATE, READ))
    assert [[c.after for c in each.target_changes] for each in record.steps] == [[(101, "a")], []]
    assert 0.02 in pair.clock.slept


async def test_every_pass_starts_from_the_state_at_the_start_and_so_does_the_end() -> None:
    pair = Pair()
    pair.legacy.rows = {7: "seed"}
    records = await pair.replay(session(CREATE, name="one"), session(CREATE, name="two"))
    assert [record.session_id for record in records] == ["one", "two"]
    for record in records:
        for steps in (record.steps, record.repeat):
            response = steps[0].pair.legacy.response
            assert response is not None and b'"id": 1' in response.body
    assert (pair.legacy.rows, pair.target.rows) == ({7: "seed"}, {})
    assert pair.legacy.log.index("require") < pair.legacy.log.index("capture") < pair.legacy.log.index("restore")


async def test_the_repetition_is_at_least_a_second_later() -> None:
    pair = Pair()
    records = await pair.replay(session(step("GET", "/time"), name="a"), session(step("GET", "/time"), name="b"))
    for record in records:
        gap = record.repeat[0].pair.legacy.sent_at - record.steps[-1].pair.legacy.sent_at
        assert gap.total_seconds() >= 1.0


async def test_differences_at_the_start_are_reported_once() -> None:
    pair = Pair()
    pair.legacy.rows = {1: "a"}
    pair.target.rows = {1: "b"}
    records = await pair.replay(
        session(step("GET", "/things/1"), name="x"), session(step("GET", "/things/1"), name="y")
    )
    assert [len(record.initial_differences) for record in records] == [1, 0]
    assert records[0].initial_differences[0].pointer == "/things/1/name"


async def test_a_resumed_replay_does_not_report_the_start_again() -> None:
    pair = Pair()
    pair.legacy.rows = {1: "a"}
    pair.options = replace(pair.options, has_reported_start=True)
    (record,) = await pair.replay(session(step("GET", "/time")))
    assert record.initial_differences == ()


async def test_an_unmarked_database_stops_before_anything_is_touched() -> None:
    pair = Pair()
    pair.target.is_disposable = False
    with pytest.raises(ConfigurationError, match="target"):
        await pair.replay(session(CREATE))
    assert (pair.legacy.requests, pair.target.requests) == ([], [])
    assert "capture" not in pair.legacy.log + pair.target.log


async def test_without_databases_only_answers_are_recorded() -> None:
    pair = Pair(with_state=False)
    (record,) = await pair.replay(session(CREATE, READ))
    assert not record.compares_state and record.steps[0].legacy_changes == ()
    assert len(record.repeat) == 2 and pair.legacy.log == []


async def test_auth_is_made_per_side_and_a_token_goes_only_where_nothing_else_does() -> None:
    pair = Pair(with_state=False)
    pair.tokens = {Side.LEGACY: "LT", Side.TARGET: None}
    own = step("GET", "/time", headers=(("authorization", "Mine"),))
    await pair.replay(session(step("GET", "/time", auth="expired"), step("GET", "/time"), own))

    def sent(world: World) -> list[tuple[tuple[str, str], ...]]:
        return [request.headers for request in world.requests if request.url == "/time"][:3]

    assert sent(pair.legacy) == [
        (("Authorization", "Bearer expired-for-legacy"),),
        (("Authorization", "Bearer LT"),),
        (("authorization", "Mine"),),
    ]
    assert sent(pair.target) == [(("Authorization", "Bearer expired-for-target"),), (), (("authorization", "Mine"),)]


async def test_a_poll_repeats_on_each_side_until_its_own_answer_is_ready() -> None:
    pair = Pair(with_state=False)
    poll = Poll(pointer="/state", while_values=("running",))
    running, done = {"state": "running"}, {"state": "done"}
    pair.legacy.answers = {"/job": [running, running, done]}
    pair.target.answers = {"/job": [done]}
    (record,) = await pair.replay(session(step("GET", "/job", poll=poll)))
    for exchange in (record.steps[0].pair.legacy, record.steps[0].pair.target):
        assert exchange.response is not None and b"done" in exchange.response.body
    assert sum(request.url == "/job" for request in pair.legacy.requests) == 3 + 1
    assert sum(request.url == "/job" for request in pair.target.requests) == 1 + 1


async def test_a_poll_ends_at_its_time_out_with_the_last_answer() -> None:
    pair = Pair(with_state=False)
    pair.legacy.answers = pair.target.answers = {"/job": [{"state": 1}]}
    (record,) = await pair.replay(
        session(step("GET", "/job", poll=Poll(pointer="/state", while_values=(1,), timeout_s=2)))
    )
    response = record.steps[0].pair.legacy.response
    assert response is not None and b"1" in response.body


async def test_sleep_is_honoured() -> None:
    pair = Pair(with_state=False)
    await pair.replay(session(step("GET", "/time", sleep_s=3.5)))
    assert pair.clock.slept.count(3.5) == 2


async def test_what_a_side_never_answered_is_not_sent_and_says_so() -> None:
    pair = Pair(with_state=False)
    pair.target.answers = {"/things": [{"no": "id"}]}
    (record,) = await pair.replay(session(CREATE, READ))
    read = record.steps[1].pair
    assert read.legacy.response is not None
    assert read.target.response is None and read.target.transport_error == "not sent: no earlier answer saved {{id}}"


async def test_a_side_that_dies_ends_the_replay_and_keeps_what_was_seen() -> None:
    pair = Pair()
    pair.target.down_after = 1 + 3
    reads = [step("GET", "/time")] * 20
    with pytest.raises(SystemUnavailable, match=r"target stopped answering: 5 requests in a row.*connection refused"):
        await pair.replay(session(*reads[:2], name="whole"), session(*reads, name="cut"))
    assert [(record.session_id, len(record.steps), len(record.repeat)) for record in pair.records] == [
        ("whole", 2, 0),
        ("cut", 6, 0),
    ]
    assert pair.records[1].steps[-1].pair.target.transport_error == "connection refused"
    assert pair.legacy.log[-1] == "restore"


async def test_the_operation_comes_from_the_systems_own_description() -> None:
    pair = Pair(with_state=False)
    pair.target.document = {"paths": {"/things/{thing_id}": {}}}
    (record,) = await pair.replay(session(CREATE, READ))
    assert [each.pair.operation for each in record.steps] == ["POST /things", "GET /things/{thing_id}"]


async def test_the_origin_is_told_by_the_tags() -> None:
    pair = Pair(with_state=False)
    one = step("GET", "/time")
    records = await pair.replay(
        session(one, name="a"), session(one, name="b", tags=["recorded"]), session(one, name="c", tags=["generated"])
    )
    assert [record.origin for record in records] == [Origin.WRITTEN, Origin.RECORDED, Origin.GENERATED]


READS = tuple(session(*[step("GET", "/time")] * 3, name=f"s{n:02d}") for n in range(12))


async def test_sessions_that_only_read_overlap_and_are_handed_over_in_order() -> None:
    pair = Pair(with_state=False)
    pair.options = replace(pair.options, concurrency=4)
    pair.legacy.delays = pair.target.delays = [5, 0, 3, 1, 0]
    records = await pair.replay(*READS)
    assert [record.session_id for record in records] == [each.id for each in READS]
    assert all(len(record.steps) == len(record.repeat) == 3 for record in records)
    assert pair.legacy.most_at_once == 4
    for record in records:
        gap = record.repeat[0].pair.legacy.sent_at - record.steps[-1].pair.legacy.sent_at
        assert gap.total_seconds() >= 1.0


async def test_sessions_that_write_run_alone() -> None:
    pair = Pair(with_state=False)
    pair.options = replace(pair.options, concurrency=4)
    pair.legacy.delays = pair.target.delays = [3]
    writing = [session(CREATE, READ, name=f"w{n}") for n in range(4)]
    await pair.replay(*writing)
    assert pair.legacy.most_at_once == 1


async def test_sessions_compared_with_their_rows_run_alone() -> None:
    pair = Pair()
    pair.options = replace(pair.options, concurrency=4)
    pair.legacy.delays = pair.target.delays = [3]
    await pair.replay(*READS)
    assert pair.legacy.most_at_once == 1


async def test_a_side_that_dies_ends_overlapping_sessions_too() -> None:
    pair = Pair(with_state=False)
    pair.options = replace(pair.options, concurrency=3)
    pair.target.down_after = 1 + 7
    with pytest.raises(SystemUnavailable, match="target stopped answering"):
        await pair.replay(*READS)
    names = [record.session_id for record in pair.records]
    assert names and names == sorted(names), "what was seen is handed over, in order"
    assert sum(len(record.steps) for record in pair.records) >= 7


async def test_an_interrupt_after_which_the_state_cannot_be_restored_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    interrupted: asyncio.Task[object] | None = None

    async def interrupt(_: Request) -> Exchange:
        assert interrupted is not None
        interrupted.cancel()
        monkeypatch.setattr(World, "restore", refuse)
        await asyncio.sleep(0)
        raise AssertionError("nobody was interrupted")

    async def refuse(_: World) -> None:
        raise SystemUnavailable("a table stayed locked", where="here", hint="End it.")

    monkeypatch.setattr(World, "send", lambda _, request: interrupt(request))
    interrupted = asyncio.create_task(pair.replay(session(step("GET", "/time"))))
    with pytest.raises(SystemUnavailable, match="interrupted, and the state at the start could not be restored: a tab"):
        await interrupted
