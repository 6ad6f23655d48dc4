"""Session shrinking: the law on any need, and on two systems in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from harness.adapters.session_files import load_session_file
from harness.adapters.session_writer import encode_session_file
from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.exchange import Exchange, Request, Side
from harness.domain.finding_records import difference_records
from harness.domain.findings import DifferenceRecord
from harness.domain.record import SessionRecord
from harness.domain.session import Poll, Session, Step
from harness.domain.shrinking import minimise, with_savers
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from harness.engine.shrink import FindingCheck, ShrinkTask, shrink_session
from tests.builders.worlds import Clock, World

RULES = Rules(today=date(2026, 3, 1))


def step(method: str, url: str, body: str | None = None, **more: object) -> Step:
    headers = (("content-type", "application/json"),) if body is not None else ()
    return replace(Step(n=0, name=f"{method} {url}", method=method, url=url, headers=headers, body=body), **more)  # type: ignore[arg-type]


def session(*steps: Step) -> Session:
    return Session(id="s", group="things", steps=tuple(replace(each, n=n) for n, each in enumerate(steps, start=1)))


def names(found: Session | None) -> list[str]:
    return [] if found is None else [each.name for each in found.steps]


@given(st.integers(0, 40), st.sets(st.integers(0, 39)))
def test_the_smallest_subset_that_holds_what_is_needed_is_found(count: int, needed: set[int]) -> None:
    needed = {item for item in needed if item < count}
    search = minimise(tuple(range(count)))
    tried: list[tuple[int, ...]] = [tuple(range(count))]
    try:
        candidate = next(search)
        while True:
            tried.append(candidate)
            candidate = search.send(needed <= set(candidate))
    except StopIteration as end:
        assert set(end.value) == needed
        assert tuple(end.value) in tried
    assert len(tried) <= 2 + 3 * count + count * count


@given(st.integers(1, 12), st.data())
async def test_shrinking_keeps_the_signature_and_ends_in_a_session_that_showed_it(
    count: int, data: st.DataObject
) -> None:
    needs = [data.draw(st.sets(st.integers(0, count - 1), max_size=2)) for _ in range(2)]
    whole = session(*(step("GET", f"/{n}") for n in range(count)))
    limit = data.draw(st.integers(1, 40))
    shown: list[Session] = []
    asked: list[Session] = []

    async def is_shown(candidate: Session) -> bool:  # either need brings the finding about: not monotone
        urls = {each.url for each in candidate.steps}
        asked.append(candidate)
        if any({f"/{n}" for n in need} <= urls for need in needs):
            shown.append(candidate)
            return True
        return False

    found = await shrink_session(ShrinkTask(session=whole, at=count - 1, name="small", max_tries=limit), is_shown)
    assert found.session in shown, "what is returned was seen to show the finding"
    assert found.session is not None and found.session.steps[-1].url == f"/{count - 1}"
    assert len(asked) == found.tries <= limit
    assert all(len(found.session.steps) <= len(each.steps) for each in shown)


def test_steps_that_save_what_others_need_stay() -> None:
    steps = session(
        step("POST", "/a", save=(("a", "/id"),)),
        step("POST", "/b/{{a}}", save=(("b", "/id"),)),
        step("POST", "/a", save=(("a", "/id"),)),
        step("GET", "/x"),
        step("GET", "/b/{{b}}"),
    ).steps
    assert with_savers(steps, [4]) == (0, 1, 4), "the first `a`, since `b` was made with that one"
    assert with_savers(steps, [3]) == (3,)


class Broken(World):
    """Answers wrongly for things called `bad`, once something was deleted."""

    async def send(self, request: Request) -> Exchange:
        exchange = await super().send(request)
        is_hit = any(each.method == "DELETE" for each in self.requests) and b'"bad"' in (request.body or b"")
        if not is_hit or exchange.response is None:
            return exchange
        return structs.replace(exchange, response=structs.replace(exchange.response, status=500))

    async def restore(self) -> None:
        await super().restore()
        self.requests.clear()


async def findings(
    whole: Session, sides: tuple[ReplaySide, ReplaySide], options: ReplayOptions
) -> list[DifferenceRecord]:
    records: list[SessionRecord] = []
    await replay_sessions([whole], *sides, on_record=records.append, options=options)
    return [
        found for record in records for each in judge_session(record, RULES) for found in difference_records(each, None)
    ]


def pair() -> tuple[tuple[ReplaySide, ReplaySide], ReplayOptions, Sequence[World]]:
    clock = Clock()
    worlds = (World(side=Side.LEGACY, clock=clock), Broken(side=Side.TARGET, clock=clock, next_id=51))
    options = ReplayOptions(sleep=clock.sleep, monotonic=clock.monotonic, clock=clock.utc)
    legacy, target = (ReplaySide(client=world, store=world) for world in worlds)
    return (legacy, target), options, worlds


LIFE = session(
    step("POST", "/things", '{"name":"a"}', save=(("a", "/id"),)),
    step("GET", "/things/{{a}}"),
    step("POST", "/things", '{"name":"b"}', save=(("b", "/id"),)),
    step("GET", "/time"),
    step("GET", "/things/{{b}}"),
    step("DELETE", "/things/{{b}}"),
    step("GET", "/things/{{a}}"),
    step("POST", "/things", '{"name":"bad"}'),
    step("GET", "/things/{{a}}"),
)


async def test_a_session_is_shrunk_to_the_steps_that_the_finding_needs() -> None:
    sides, options, worlds = pair()
    (found,) = await findings(LIFE, sides, options)
    assert (found.step, found.legacy, found.target) == (8, "201", "500")
    task = ShrinkTask(session=LIFE, at=7, name="small")
    shrunk = await shrink_session(task, FindingCheck(found, sides, RULES, options))
    assert names(shrunk.session) == ["POST /things", "DELETE /things/{{b}}", "POST /things"]
    assert shrunk.is_minimal and shrunk.tries < 20
    assert [each.rows for each in worlds] == [{}, {}], "the state was brought back"
    assert shrunk.session is not None
    (again,) = await findings(shrunk.session, sides, options)
    assert again.signature == found.signature


async def test_a_finding_that_does_not_show_is_not_shrunk() -> None:
    sides, options, _ = pair()
    (found,) = await findings(LIFE, sides, options)
    check = FindingCheck(replace(found, signature="another"), sides, RULES, options)
    shrunk = await shrink_session(ShrinkTask(session=LIFE, at=7, name="small"), check)
    assert shrunk.session is None and shrunk.tries == 1


def test_a_session_file_reads_back_as_the_same_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sessions") / "s.json"
    whole = replace(
        session(
            step("POST", "/a?b=%20", '{"x": 1}', save=(("a", "/id"),), auth="valid"),
            step("PUT", "/a/{{a}}", '{"x":1.5,"y":"é"}', tie=("*",), volatile=("/x",), reused=("id",), sleep_s=0.5),
            replace(
                step("POST", "/raw", "\ud800"), headers=(("X-A", "1"), ("X-A", "2"), ("content-type", "text/plain"))
            ),
            step("GET", "/job", poll=Poll(pointer="/state", while_values=("busy", None), interval_s=1, timeout_s=9)),
            step("GET", "/h", volatile_headers=("x-id",), network="slow"),
        ),
        tags=("process_memory",),
        source=str(path),
    )
    path.write_bytes(encode_session_file(whole, "for a test"))
    assert load_session_file(path) == (whole,)
