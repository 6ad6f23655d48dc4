"""What a step counts for, and when a system has to forget what its process remembers."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.adapters.evidence_files import load_records
from harness.adapters.evidence_store import open_run
from harness.domain.evidence import RunManifest
from harness.domain.exchange import Side
from harness.domain.grouping import group_of_step
from harness.domain.record import SessionRecord
from harness.domain.session import Session, Step
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from tests.builders.worlds import Clock, World


def _step(url: str, n: int = 1) -> Step:
    return Step(n=n, name=url, method="GET", url=url)


class _Replayed:
    """Both worlds, with a legacy that notes its restarts between its restores."""

    def __init__(self) -> None:
        clock = Clock()
        self.legacy, self.target = World(side=Side.LEGACY, clock=clock), World(side=Side.TARGET, clock=clock)
        self.options = ReplayOptions(sleep=clock.sleep, monotonic=clock.monotonic, clock=clock.utc)

    async def restart(self) -> None:
        self.legacy.log.append("restart")

    async def records(self, *sessions: Session) -> list[SessionRecord]:
        found: list[SessionRecord] = []
        legacy = ReplaySide(client=self.legacy, store=self.legacy, restart=self.restart)
        target = ReplaySide(client=self.target, store=self.target)
        await replay_sessions(sessions, legacy, target, on_record=found.append, options=self.options)
        return found


@pytest.mark.parametrize(
    ("session_group", "url", "group"),
    [
        ("mixed", "/api/trades/1?x=/api/data", "trades"),
        ("mixed", "/health", "root"),
        ("mixed", "/api", "root"),
        ("trades", "/api/data/status", "trades"),
        ("things", "/", "things"),
    ],
)
def test_only_a_mixed_session_is_split_by_url(session_group: str, url: str, group: str) -> None:
    assert group_of_step(session_group, url) == group


async def test_each_step_of_a_mixed_session_counts_for_its_own_part_and_is_read_back_so(tmp_path: Path) -> None:
    urls = ("/api/trades/", "/api/data/status", "/health")
    mixed = Session(id="all", group="mixed", steps=tuple(_step(url, n) for n, url in enumerate(urls, start=1)))
    replayed = _Replayed()
    for world in (replayed.legacy, replayed.target):
        world.answers = {url: [{"ok": True}] for url in urls}
    (record,) = await replayed.records(mixed)
    assert [step.pair.group for step in record.steps] == ["trades", "data", "root"]
    now = datetime(2026, 3, 1, tzinfo=UTC)
    manifest = RunManifest(run_id="r", environment="local", profile="quick", commit="", started_at=now)
    store = open_run(tmp_path / "run", manifest)
    store.append_session(record)
    store.close()
    (loaded,) = load_records(tmp_path / "run")
    assert [step.pair.group for step in (*loaded.steps, *loaded.repeat)] == ["trades", "data", "root"] * 2


async def test_a_session_on_process_memory_restarts_the_legacy_after_each_restore() -> None:
    replayed = _Replayed()
    plain = Session(id="plain", group="things", steps=(_step("/time"),))
    await replayed.records(plain, replace(plain, id="memory", tags=("process_memory",)))
    noted = [word for word in replayed.legacy.log if word in {"restore", "restart"}]
    assert noted == ["restore", "restore", "restart", "restore", "restore", "restart", "restore"]
