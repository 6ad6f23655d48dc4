"""Between sessions the legacy's rows, files and, where asked for, process memory are as they were at the start."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from time import perf_counter

import pytest

from harness.adapters.http import HttpSide
from harness.domain.errors import ConfigurationError
from harness.domain.exchange import Side
from harness.domain.record import SessionRecord
from harness.domain.session import Poll, Session, Step
from harness.engine.replay import replay_sessions
from harness.engine.replay_options import ReplayOptions
from harness.engine.replay_sides import ReplaySide
from harness.settings import LegacySettings
from harness.wiring.legacy_state import legacy_store, memory_note, restart_by_address, restart_of
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.local_market import LocalMarket, MarketSettings
from legacy_adapter.parquet import DIRECTORIES_MARKER, find_disposable_directories, mark_disposable_directories
from legacy_adapter.seed import write_seed_database
from legacy_adapter.sqlite import mark_disposable_file

_ROOT = Path(__file__).resolve().parents[2]
_JSON = (("content-type", "application/json"),)
_RUN = '{"strategy_name": "HRP", "start_date": "2024-01-01", "end_date": "2024-06-30"}'


def _step(n: int, method: str, url: str, body: str | None = None, poll: Poll | None = None) -> Step:
    return Step(n=n, name=url, method=method, url=url, body=body, headers=_JSON if body else (), poll=poll)


def _session(name: str, *steps: Step, tags: tuple[str, ...] = ()) -> Session:
    return Session(id=name, group="strategies", steps=steps, tags=tags)


_WAIT = Poll(pointer="/status", while_values=("running",), interval_s=0.1, timeout_s=30)
_BACKTEST = _session(
    "backtest",
    _step(1, "POST", "/api/strategies/run", _RUN),
    _step(2, "GET", "/api/strategies/HRP/status", poll=_WAIT),
)
_LOOKS = (_step(1, "GET", "/api/strategies/HRP/status"), _step(2, "GET", "/api/strategies/HRP/results"))


@asynccontextmanager
async def _application(directory: Path, market: LocalMarket) -> AsyncIterator[EmbeddedSystem]:
    settings = EmbeddedSettings(app_root=directory, yahoo_base_url=market.url_for(directory.name))
    system = EmbeddedSystem(settings)
    write_seed_database(system.database_path)
    mark_disposable_file(system.database_path)
    await system.start()
    try:
        yield system
    finally:
        await system.stop()


async def _replay(directory: Path, *sessions: Session) -> dict[str, SessionRecord]:
    records: list[SessionRecord] = []
    async with AsyncExitStack() as stack:
        market = LocalMarket(MarketSettings(log_path=directory / "market.log"))
        await market.start()
        stack.push_async_callback(market.stop)
        sides = []
        for side in (Side.LEGACY, Side.TARGET):
            system = await stack.enter_async_context(_application(directory / side, market))
            client, store = HttpSide(side, system.url), legacy_store(system.database_path)
            stack.push_async_callback(client.close)
            stack.push_async_callback(store.close)
            sides.append(ReplaySide(client=client, store=store, restart=restart_of(system)))
        options = ReplayOptions(repeat_gap_s=0)
        await replay_sessions(sessions, sides[0], sides[1], on_record=records.append, options=options)
        left = [path.name for side in (Side.LEGACY, Side.TARGET) for path in (directory / side / "reports").iterdir()]
    assert left == [], "the state at the start is restored at the end too"
    return {record.session_id: record for record in records}


async def test_files_and_memory_of_a_session_are_gone_for_the_next(tmp_path: Path) -> None:
    if not (_ROOT / ".venv-legacy" / ".installed").exists():
        pytest.skip("the reference application's environment is absent: run `make install`")
    forgotten = _session("forgotten", *_LOOKS, tags=("process_memory",))
    remembered = _session("remembered", *_LOOKS)
    records = await _replay(tmp_path, _BACKTEST, remembered, forgotten)

    def bodies(name: str) -> list[str]:
        answers = [step.pair.legacy.response for step in records[name].steps]
        return [f"{answer.status} {answer.body.decode()}" for answer in answers if answer is not None]

    assert '"status":"completed"' in bodies("backtest")[1], "the market was asked and answered"
    assert '"status":"completed"' in bodies("remembered")[0], "memory alone outlives a restore"
    assert '"status":"not_started"' in bodies("forgotten")[0]
    assert bodies("forgotten")[1].startswith("404 "), "the result file is gone too"


async def test_a_restore_brings_rows_and_files_back_quickly(tmp_path: Path) -> None:
    database = tmp_path / "data" / "trades.db"
    write_seed_database(database)
    mark_disposable_file(database)
    mark_disposable_directories(tmp_path, ["cache", "dashboard"])
    cache = tmp_path / "cache" / "us_prices_close.parquet"
    cache.parent.mkdir()
    cache.write_bytes(b"columnar" * 100_000)
    store = legacy_store(database)
    await store.capture()
    before = await store.read()
    with closing(sqlite3.connect(database)) as reader:
        _delete_all(database)
        cache.write_bytes(b"overwritten")
        (tmp_path / "dashboard").mkdir()
        (tmp_path / "dashboard" / "scan_results.json").write_text("{}")
        started = perf_counter()
        await store.restore()
        duration_s = perf_counter() - started
        assert reader.execute("SELECT count(*) FROM trades").fetchone() == (100,), "a live connection sees it"
    assert await store.read() == before
    assert cache.read_bytes() == b"columnar" * 100_000
    assert not (tmp_path / "dashboard").exists()
    assert duration_s < 1.0, "200 ms on a quiet machine"
    await store.close()


def _delete_all(database: Path) -> None:
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("DELETE FROM trades")
        writer.commit()


def test_directories_without_the_mark_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    assert find_disposable_directories(tmp_path / "data" / "trades.db") == ()
    mark_disposable_directories(tmp_path, ["cache"])
    assert find_disposable_directories(tmp_path / "data" / "trades.db") == (tmp_path.resolve() / "cache",)
    assert find_disposable_directories(tmp_path / "trades.db") == (tmp_path.resolve() / "cache",)
    elsewhere = tmp_path / "a" / "b" / "c" / "trades.db"
    assert find_disposable_directories(elsewhere) == ()
    assert find_disposable_directories(elsewhere, tmp_path) == (tmp_path.resolve() / "cache",)


@pytest.mark.parametrize("name", ["../other", ".", "/etc"])
def test_a_mark_cannot_name_what_lies_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / DIRECTORIES_MARKER).write_text(f"cache\n{name}\n")
    with pytest.raises(ConfigurationError, match="not below it"):
        find_disposable_directories(tmp_path / "trades.db")


def test_sessions_on_memory_that_nobody_can_reset_are_told() -> None:
    session = _session("a", *_LOOKS, tags=("process_memory",))
    assert memory_note([session, _session("b", *_LOOKS)], None) is not None
    assert "depend on it: 1 (a)" in str(memory_note([session], None))
    restart = restart_by_address(LegacySettings(reset_command=["true"]), "http://127.0.0.1:1")
    assert restart is not None
    assert memory_note([session], restart) is None
    assert restart_by_address(LegacySettings(), "http://127.0.0.1:1") is None


def test_capturing_an_unreadable_cache_is_a_configuration_error(tmp_path: Path) -> None:
    database = tmp_path / "data" / "trades.db"
    write_seed_database(database)
    mark_disposable_directories(tmp_path, ["cache"])
    (tmp_path / "cache").write_text("a file where a directory should be")
    with pytest.raises(ConfigurationError, match="cannot be used") as raised:
        asyncio.run(legacy_store(database).capture())
    assert str(tmp_path / "cache") in raised.value.where
