"""Both databases' state stores keep the same promises, with the application's connection open."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from harness.adapters.postgres import PostgresState, mark_disposable
from harness.domain.compare_rows import diff_states
from harness.domain.errors import ConfigurationError, HarnessError
from harness.domain.ports import StateStore
from legacy_adapter.seed import write_seed_database
from legacy_adapter.sqlite import SqliteState, mark_disposable_file
from tests.builders.interruption import Interruption


@dataclass
class Case:
    """A store, the application's way to write, and how to mark the database."""

    store: StateStore
    again: Callable[[str], PostgresState | SqliteState]
    """A store as another process has it, on behalf of a run of that name."""
    run: Callable[[str], Awaitable[object]]
    mark: Callable[[], Awaitable[None]]


_INSERT = (
    "INSERT INTO trades (trade_id, ticker, direction, quantity, entry_price, entry_date, knowledge_timestamp) "
    "VALUES ('{0}', 'SPY', 'BUY', 1.5, 2.5, '2026-01-05 09:00:00', '2026-01-05 09:00:00')"
)


@pytest.fixture(params=["sqlite-delete", "sqlite-wal", "postgres"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    """An unmarked database with ten trades."""
    if request.param == "postgres":
        dsn = request.getfixturevalue("trades_dsn")
        live = await asyncpg.connect(dsn)
        case = Case(
            store=PostgresState(dsn, owner="this run"),
            again=lambda name: PostgresState(dsn, owner=name),
            run=live.execute,
            mark=lambda: mark_disposable(dsn),
        )
    else:
        path = tmp_path / "trades.db"
        write_seed_database(path)
        opened = sqlite3.connect(path, isolation_level=None)
        opened.execute(f"PRAGMA journal_mode = {request.param.removeprefix('sqlite-')}")
        opened.execute("DELETE FROM trades")

        async def run(sql: str) -> object:
            return opened.execute(sql).fetchall()

        async def mark() -> None:
            mark_disposable_file(path)

        case = Case(
            store=SqliteState(path, kept=tmp_path / "this run"),
            again=lambda name: SqliteState(path, kept=tmp_path / name),
            run=run,
            mark=mark,
        )
    for number in range(10):
        await case.run(_INSERT.format(f"T{number}"))
    yield case
    await case.store.close()
    if request.param == "postgres":
        await live.close()
    else:
        opened.close()


async def test_an_unmarked_database_is_refused(case: Case) -> None:
    with pytest.raises(ConfigurationError, match="not marked as disposable"):
        await case.store.require_disposable()


async def test_a_marked_database_is_accepted_and_the_marker_is_no_row(case: Case) -> None:
    await case.mark()
    await case.mark()
    await case.store.require_disposable()
    assert "parakeet_disposable" not in await case.store.read()


async def test_restore_undoes_every_kind_of_write(case: Case) -> None:
    await case.mark()
    await case.store.capture()
    before = await case.store.read()
    for _ in range(2):
        await case.run("UPDATE trades SET notes = 'changed' WHERE trade_id = 'T3'")
        await case.run("DELETE FROM trades WHERE trade_id = 'T5'")
        await case.run(_INSERT.format("new"))
        assert len(diff_states(before, await case.store.read())) == 3
        await case.store.restore()
        assert diff_states(before, await case.store.read()) == ()
    await case.store.require_disposable()


async def test_the_next_id_is_the_same_after_every_restore(case: Case) -> None:
    await case.mark()
    await case.store.capture()
    keys = []
    for _ in range(2):
        await case.run(_INSERT.format("new"))
        keys.append((await case.store.read())["trades"].rows[-1][0])
        await case.store.restore()
    assert keys == [11, 11]


async def test_a_later_capture_replaces_the_earlier(case: Case) -> None:
    await case.mark()
    await case.store.capture()
    await case.run("DELETE FROM trades WHERE trade_id = 'T0'")
    await case.store.capture()
    await case.run("DELETE FROM trades")
    await case.store.restore()
    assert len((await case.store.read())["trades"].rows) == 9


async def test_what_was_captured_outlives_a_killed_process_and_is_recovered_by_its_run_alone(case: Case) -> None:
    await case.mark()
    await case.store.capture()
    before = await case.store.read()
    await case.run(_INSERT.format("LEFT-BEHIND"))
    changed = await case.store.read()
    other, same, late = case.again("other run"), case.again("this run"), case.again("this run")
    await other.recover()
    assert not diff_states(changed, await other.read())
    await same.recover()
    assert not diff_states(before, await same.read())
    await case.run(_INSERT.format("NEXT"))
    await same.capture()
    await same.close()
    await case.run(_INSERT.format("LATER"))
    kept = await late.read()
    await late.recover()
    assert not diff_states(kept, await late.read()), "nothing is kept of a store that was closed"
    for store in (other, late):
        await store.close()


async def test_restoring_without_a_change_is_harmless(case: Case) -> None:
    await case.mark()
    await case.store.capture()
    before = await case.store.read()
    for _ in range(3):
        await case.store.restore()
    assert diff_states(before, await case.store.read()) == ()


async def test_restore_before_capture_is_our_own_fault(case: Case) -> None:
    await case.mark()
    with pytest.raises(HarnessError, match="before capture"):
        await case.store.restore()


async def test_calls_at_the_same_time_take_turns(case: Case) -> None:
    await case.mark()
    await case.store.capture()
    await case.run("DELETE FROM trades WHERE trade_id <> 'T0'")
    _, state = await asyncio.gather(case.store.restore(), case.store.read())
    assert len(state["trades"].rows) in {1, 10}


@pytest.mark.parametrize("is_late", [False, True], ids=["as it asks", "as the answer comes"])
@pytest.mark.parametrize("work", ["capture", "read", "restore"])
async def test_work_that_is_cancelled_at_any_moment_keeps_nobody_from_restoring(
    case: Case, work: str, is_late: bool
) -> None:
    await case.mark()
    await case.store.capture()
    before = await case.store.read()
    for at in itertools.count(1):
        if work != "capture":
            await case.run("DELETE FROM trades WHERE trade_id = 'T1'")
        interruption = Interruption(at, is_late=is_late)
        await interruption.during(getattr(case.store, work))
        await case.store.restore()
        assert diff_states(before, await case.store.read()) == ()
        if not interruption.has_come:
            break
    assert at > 1


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    """A marked copy of the seed."""
    path = tmp_path / "trades.db"
    write_seed_database(path)
    mark_disposable_file(path)
    return path


async def test_a_locked_file_is_told_in_time(seeded: Path) -> None:
    store = SqliteState(seeded, busy_timeout_s=0.2)
    await store.capture()
    with closing(sqlite3.connect(seeded, isolation_level=None)) as other:
        other.execute("DELETE FROM trades")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HarnessError, match="locked"):
            await store.restore()
        other.execute("ROLLBACK")
    await store.restore()
    assert len((await store.read())["trades"].rows) == 100
    await store.close()


def _inode(path: Path) -> int:
    return path.stat().st_ino


async def test_the_file_is_never_replaced(seeded: Path) -> None:
    store = SqliteState(seeded)
    await store.capture()
    inode = _inode(seeded)
    with closing(sqlite3.connect(seeded, isolation_level=None)) as live:
        live.execute("PRAGMA journal_mode = wal")
        live.execute("DELETE FROM trades")
        await store.restore()
        assert live.execute("SELECT count(*) FROM trades").fetchone() == (100,)
        assert live.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert live.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert _inode(seeded) == inode
    await store.close()


async def test_cells_keep_the_type_they_are_stored_with(seeded: Path) -> None:
    with closing(sqlite3.connect(seeded, isolation_level=None)) as live:
        live.execute("UPDATE trades SET notes = x'00ff', quantity = 'many' WHERE id = 1")
    store = SqliteState(seeded)
    table = (await store.read())["trades"]
    row = dict(zip(table.schema.column_names, table.rows[0], strict=True))
    assert (row["notes"], row["quantity"], row["id"]) == (b"\x00\xff", "many", 1)
    await store.close()


async def test_a_missing_or_alien_file_is_a_configuration_error(tmp_path: Path) -> None:
    alien = tmp_path / "alien.db"
    alien.write_bytes(b"not a database, whatever its name may say" * 30)
    for path in (tmp_path / "absent.db", alien):
        with pytest.raises(ConfigurationError):
            await SqliteState(path).read()
    assert not (tmp_path / "absent.db").exists()
