"""What workers of a distributed replay say, and what is made of it: each session once, and nobody lost in silence."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.adapters.load_lines import Due, LoadLine, LoadOrder, WorkerIdentity, decode, encode
from harness.adapters.locust_workers import Crew, gather
from harness.domain.errors import ConfigurationError, HarnessError, SystemUnavailable
from harness.domain.replay_load import LoadPlan, plan_sessions
from harness.domain.session import Poll, Session, Step
from harness.wiring.replay_workers import require_all_workers, require_no_poll, workers_at
from tests.builders.records import answer, step

READ = Session(id="read", group="things", steps=(Step(n=1, name="", method="GET", url="/\ud800"),))
WORKERS = workers_at(("127.0.0.2", "127.0.0.3"), 4)


def line(number: int, worker: str = "127.0.0.2") -> LoadLine:
    pair = step(answer(b"\xff\x00"), "connection refused", "GET /things").pair
    return LoadLine(worker=worker, number=number, late_ms=1.5, steps=((pair.legacy, pair.target),))


def done(worker: str, started: int) -> LoadLine:
    return LoadLine(worker=worker, number=0, started=started)


def crew_with(directory: Path, *lines: LoadLine) -> tuple[Crew, Path]:
    path = directory / "lines.jsonl"
    path.write_bytes(b"".join(encode(each) + b"\n" for each in lines))
    return Crew(program=path, project=directory, directory=directory, workers=WORKERS.identities), path


def test_an_order_and_a_line_read_back_as_they_were():
    order = LoadOrder(
        legacy_url="http://a", target_url="http://b", legacy={"read": READ}, target={"read": READ},
        arrivals=(Due(number=1, at_s=0.25, name="read"),), limit_s=3.0, concurrency=2,
    )  # fmt: skip
    assert decode(encode(order), LoadOrder) == order
    assert decode(encode(line(7)), LoadLine) == line(7)
    assert encode(order).isascii() and b"\n" not in encode(order)


def test_all_lines_of_workers_that_are_done_are_gathered(tmp_path: Path):
    lines = (line(2, "127.0.0.3"), done("127.0.0.3", 1), line(3), line(1), done("127.0.0.2", 2))
    gathered = gather(*crew_with(tmp_path, *lines), {})
    assert set(gathered.lines) == {1, 2, 3}
    assert gathered.lost == {}


def test_a_session_that_came_twice_is_a_failure_of_the_harness(tmp_path: Path):
    with pytest.raises(HarnessError, match="number 1 came twice"):
        gather(*crew_with(tmp_path, line(1), line(1, "127.0.0.3")), {})


def test_a_line_that_was_cut_is_a_failure_of_the_harness(tmp_path: Path):
    crew, path = crew_with(tmp_path, line(1))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HarnessError, match="cannot be read"):
        gather(crew, path, {})


@pytest.mark.parametrize(
    ("last", "ended", "told"),
    [
        (None, {"127.0.0.3": "was killed by signal 9"}, "127.0.0.3 was killed by signal 9: 1 of its 2 sessions came"),
        (None, {}, "127.0.0.3 no longer answered the master: 1 of its 2"),
        (2, {}, "127.0.0.3 started 2 sessions, of which 1 came: 1 of its 2"),
    ],
)
def test_a_worker_whose_share_is_not_whole_is_named(tmp_path: Path, last: int | None, ended: dict[str, str], told: str):
    ending = [] if last is None else [done("127.0.0.3", last)]
    gathered = gather(
        *crew_with(tmp_path, line(1), line(3), done("127.0.0.2", 2), line(2, "127.0.0.3"), *ending), ended
    )
    arrivals = plan_sessions((READ,), LoadPlan(rate=1, count=4, limit_s=9))
    with pytest.raises(SystemUnavailable, match=told):
        require_all_workers(gathered, arrivals, WORKERS)
    require_all_workers(replace(gathered, lost={}), arrivals, WORKERS)


def test_nothing_from_anybody_is_inconclusive(tmp_path: Path):
    with pytest.raises(SystemUnavailable, match="no Locust worker did anything"):
        gather(*crew_with(tmp_path), {})


def test_workers_have_names_of_their_own_and_share_everything():
    identities = workers_at(("127.0.0.2", "127.0.0.2", "127.0.0.4"), 3).identities
    assert [each.name for each in identities] == ["127.0.0.2", "127.0.0.2~2", "127.0.0.4"]
    taken = sorted(number for each in identities for number in range(20)[each.index :: each.of])
    assert taken == list(range(20))
    assert identities[1] == WorkerIdentity(name="127.0.0.2~2", address="127.0.0.2", index=1, of=3)


@pytest.mark.parametrize("addresses", [("192.0.2.1",), ("somewhere",), ("127.0.0.2",) * 5])
def test_addresses_off_this_machine_and_too_many_workers_are_refused(addresses: tuple[str, ...]):
    with pytest.raises(ConfigurationError):
        workers_at(addresses, 4)


def test_sessions_that_poll_are_refused_by_name():
    polling = replace(READ, id="waits", steps=(replace(READ.steps[0], poll=Poll(pointer="/a", while_values=("b",))),))
    with pytest.raises(ConfigurationError, match="these sessions do: waits"):
        require_no_poll([READ, polling])
