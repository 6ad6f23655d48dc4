"""PostgresState against a real server: disposable only, exact restore, sequences, live connections."""

import contextlib
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from harness.adapters.postgres import SNAPSHOT_SCHEMA, PostgresState, mark_disposable
from harness.domain.compare_rows import diff_states
from harness.domain.errors import ConfigurationError, HarnessError, SystemUnavailable

_INSERT = """
INSERT INTO trades (trade_id, ticker, direction, quantity, entry_price, entry_date, status)
SELECT 'T' || n, 'SPY', 'BUY', n, n, timestamp '2026-01-05 09:00', 'OPEN' FROM generate_series({0}, {1}) n
"""


@pytest.fixture
async def live(trades_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """The application's connection, with 100 trades stored."""
    connection = await asyncpg.connect(trades_dsn)
    await connection.execute(_INSERT.format(1, 100))
    yield connection
    await connection.close()


@pytest.fixture
async def state(live: asyncpg.Connection, trades_dsn: str) -> AsyncIterator[PostgresState]:
    """A captured store of a marked database."""
    await mark_disposable(trades_dsn)
    store = PostgresState(trades_dsn)
    await store.capture()
    yield store
    await store.close()


async def test_restore_brings_rows_and_sequences_back(state: PostgresState, live: asyncpg.Connection) -> None:
    before = await state.read()
    for _ in range(3):
        await live.execute("UPDATE trades SET notes = 'x' WHERE id = 5; DELETE FROM trades WHERE id > 90")
        await live.execute(_INSERT.format(101, 110))
        await live.execute(
            "INSERT INTO index_constituents (ticker, index_name, start_date, active) VALUES ('A', 'B', now(), true);"
            "INSERT INTO portfolio_snapshots (id, snapshot_date, total_value, cash_balance, invested_value)"
            " VALUES (7, now(), 1, 2, 3)"
        )
        assert diff_states(before, await state.read())
        await state.restore()
        assert diff_states(before, await state.read()) == ()
    assert await live.fetchval("INSERT INTO trades (trade_id, ticker, direction, quantity, entry_price, entry_date)"
                               " VALUES ('N', 'SPY', 'SELL', 1, 1, now()) RETURNING id") == 101  # fmt: skip
    assert await live.fetchval("INSERT INTO index_constituents (ticker, index_name, start_date)"
                               " VALUES ('A', 'B', now()) RETURNING id") == 1  # fmt: skip


async def test_an_unchanged_table_is_not_rewritten(state: PostgresState, live: asyncpg.Connection) -> None:
    await state.restore()
    where = await live.fetchval("SELECT pg_relation_filenode('trades')")
    await live.execute("INSERT INTO index_constituents (ticker, index_name, start_date) VALUES ('A', 'B', now())")
    await state.restore()
    assert await live.fetchval("SELECT count(*) FROM index_constituents") == 0
    assert await live.fetchval("SELECT pg_relation_filenode('trades')") == where


async def test_a_row_replaced_by_its_equal_in_number_is_noticed(state: PostgresState, live: asyncpg.Connection) -> None:
    await state.restore()
    await live.execute("DELETE FROM trades WHERE id = 100")
    await live.execute(_INSERT.format(200, 200))
    await state.restore()
    assert await live.fetchval("SELECT trade_id FROM trades ORDER BY id DESC LIMIT 1") == "T100"


async def test_a_rolled_back_write_changes_nothing(state: PostgresState, live: asyncpg.Connection) -> None:
    await state.restore()
    transaction = live.transaction()
    await transaction.start()
    await live.execute("DELETE FROM trades")
    await transaction.rollback()
    await state.restore()
    assert await live.fetchval("SELECT count(*) FROM trades") == 100


async def test_prepared_statements_of_the_application_survive(state: PostgresState, live: asyncpg.Connection) -> None:
    statement = await live.prepare("SELECT count(*) FROM trades WHERE status = $1")
    await live.execute("DELETE FROM trades")
    await state.restore()
    assert await statement.fetchval("OPEN") == 100


async def test_foreign_keys_are_restored_together(postgres_dsn: str) -> None:
    live = await asyncpg.connect(postgres_dsn)
    await live.execute(
        "CREATE TABLE a_child (id int PRIMARY KEY, parent int);"
        "CREATE TABLE z_parent (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);"
        "ALTER TABLE a_child ADD FOREIGN KEY (parent) REFERENCES z_parent;"
        "INSERT INTO z_parent VALUES (1); INSERT INTO a_child VALUES (1, 1)"
    )
    await mark_disposable(postgres_dsn)
    store = PostgresState(postgres_dsn)
    await store.capture()
    before = await store.read()
    await live.execute("DELETE FROM a_child; DELETE FROM z_parent")
    await store.restore()
    assert diff_states(before, await store.read()) == ()
    await store.close()
    await live.close()


async def test_an_unmarked_database_is_not_touched(live: asyncpg.Connection, trades_dsn: str) -> None:
    store = PostgresState(trades_dsn)
    with pytest.raises(ConfigurationError, match="not marked as disposable"):
        await store.capture()
    assert await live.fetchval("SELECT to_regnamespace($1)", SNAPSHOT_SCHEMA) is None
    assert set(await store.read()) == {"trades", "portfolio_snapshots", "index_constituents", "market_data"}
    await store.close()


async def test_a_marker_removed_later_stops_the_restore(state: PostgresState, live: asyncpg.Connection) -> None:
    await live.execute("DELETE FROM trades; DROP TABLE parakeet_disposable")
    with pytest.raises(ConfigurationError):
        await state.restore()
    assert await live.fetchval("SELECT count(*) FROM trades") == 0


async def test_restore_without_capture_is_our_own_fault(trades_dsn: str) -> None:
    with pytest.raises(HarnessError, match="before capture"):
        await PostgresState(trades_dsn).restore()


async def test_a_transaction_left_open_is_told_and_nothing_is_restored(
    live: asyncpg.Connection, trades_dsn: str
) -> None:
    await mark_disposable(trades_dsn)
    store = PostgresState(trades_dsn, lock_timeout_ms=100)
    await store.capture()
    async with live.transaction():
        await live.execute("DELETE FROM trades WHERE id = 1")
        with pytest.raises(SystemUnavailable, match="locked") as raised:
            await store.restore()
        assert "pg_stat_activity" in raised.value.hint
    await store.restore()
    assert await live.fetchval("SELECT count(*) FROM trades") == 100
    await store.close()


async def test_close_leaves_only_the_applications_tables(live: asyncpg.Connection, trades_dsn: str) -> None:
    await mark_disposable(trades_dsn)
    store = PostgresState(trades_dsn)
    await store.capture()
    await store.close()
    assert await live.fetchval("SELECT to_regnamespace($1)", SNAPSHOT_SCHEMA) is None
    assert await live.fetchval("SELECT count(*) FROM trades") == 100


async def test_a_dropped_connection_is_opened_again(state: PostgresState, live: asyncpg.Connection) -> None:
    await live.execute("DELETE FROM trades WHERE id = 1")
    await live.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                       " AND datname = current_database()")  # fmt: skip
    with contextlib.suppress(SystemUnavailable):  # told, unless the client has noticed by itself
        await state.restore()
    await state.restore()
    assert await live.fetchval("SELECT count(*) FROM trades") == 100


async def test_restoring_a_hundred_rows_takes_milliseconds(state: PostgresState, live: asyncpg.Connection) -> None:
    taken = []
    for _ in range(15):
        await live.execute("UPDATE trades SET quantity = 7 WHERE id = 5")
        started = time.perf_counter()
        await state.restore()
        taken.append(time.perf_counter() - started)
    assert sorted(taken)[len(taken) // 2] < 0.1  # 4 ms on a quiet machine; tests share theirs


@pytest.mark.parametrize(
    ("dsn", "error"),
    [
        ("postgresql//host/db", ConfigurationError),
        ("mysql://user:secret@host/db", ConfigurationError),
        ("postgresql://user:secret@host:port/db", ConfigurationError),
        ("postgresql://user:secret@host", ConfigurationError),
        ("postgresql://user:se@cret@127.0.0.1:1/db", SystemUnavailable),
        ("postgresql://user:secret@127.0.0.1:1/db?sslmode=sometimes", ConfigurationError),
        ("postgresql://user:secret@no-such-host.invalid/db", SystemUnavailable),
    ],
)
async def test_a_wrong_address_is_told_without_its_password(dsn: str, error: type[HarnessError]) -> None:
    with pytest.raises(error) as raised:
        await PostgresState(dsn).read()
    assert "cret" not in str(raised.value)
    assert raised.value.hint


async def test_an_absent_database_is_unavailable(trades_dsn: str) -> None:
    with pytest.raises(SystemUnavailable, match="does not exist"):
        await PostgresState(trades_dsn.replace("/test_", "/absent_")).read()


async def test_other_drivers_settings_are_accepted(trades_dsn: str) -> None:
    dsn = trades_dsn.replace("postgresql:", "postgresql+asyncpg:") + "&sslmode=disable&channel_binding=require"
    store = PostgresState(dsn)
    assert "trades" in await store.read()
    await store.close()
