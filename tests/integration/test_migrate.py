"""Migration of both schema generations into a real PostgreSQL, and everything that must be refused."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from harness.adapters import postgres_reader, sqlite_reader
from harness.adapters.postgres_load import PostgresLoad, PostgresTarget
from harness.adapters.sqlite_reader import SqliteReader, SqliteSource
from harness.domain.errors import ConfigurationError, DataRefused, HarnessError, SystemUnavailable
from harness.engine.migration import MigrationOptions
from harness.settings import RowsSettings, TableMap
from harness.wiring.migrate import migrate_rows
from harness.wiring.parity import RowParity, RowParityRequest, compare_rows
from legacy_adapter.seed import write_seed_database
from tests.builders.postgres import execute, fetch_value

_SEEDED = Path(__file__).resolve().parents[2] / ".." / "shared" / "legacy" / "seeded_trades.db"


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    """The seed of 100 trades."""
    path = tmp_path / "trades.db"
    write_seed_database(path)
    return path


@pytest.fixture
def edit(legacy: Path) -> Iterator[sqlite3.Connection]:
    """A connection that commits at once."""
    with closing(sqlite3.connect(legacy, isolation_level=None)) as connection:
        yield connection


async def _compare(legacy: Path, dsn: str, rows: RowsSettings | None = None) -> RowParity:
    return await compare_rows(RowParityRequest(legacy=str(legacy), target_dsn=dsn, rows=rows or RowsSettings()))


def _name(dsn: str) -> str:
    return urlsplit(dsn).path.removeprefix("/")


async def test_every_row_arrives_and_a_fresh_id_is_free(legacy: Path, trades_dsn: str) -> None:
    migration = await migrate_rows(legacy, trades_dsn)
    trades = next(each for each in migration.tables if each.target_table == "trades")
    assert (trades.written_rows, trades.verified_rows, trades.present_rows) == (100, 100, 0)
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades WHERE status = 'OPEN'") == 11
    assert await fetch_value(trades_dsn, "SELECT last_value FROM trades_id_seq") == 100
    assert await fetch_value(trades_dsn, "SELECT nextval('trades_id_seq')") == 101
    assert (await _compare(legacy, trades_dsn)).first == []


async def test_a_role_that_owns_nothing_of_the_target_migrates_too(legacy: Path, trades_dsn: str) -> None:
    role = f"visitor_{uuid4().hex}"
    all_of = "ON ALL {} IN SCHEMA public TO " + role
    grants = f"GRANT ALL {all_of.format('TABLES')}; GRANT ALL {all_of.format('SEQUENCES')}"
    await execute(
        trades_dsn, f"CREATE ROLE {role} LOGIN; {grants}; GRANT CREATE ON DATABASE {_name(trades_dsn)} TO {role}"
    )
    migration = await migrate_rows(legacy, trades_dsn.replace("postgres:@", f"{role}:@"))
    assert migration.moved_sequences
    assert await fetch_value(trades_dsn, "SELECT nextval('trades_id_seq')") == 101


async def test_a_second_run_changes_nothing(legacy: Path, trades_dsn: str) -> None:
    await migrate_rows(legacy, trades_dsn)
    versions = "SELECT array_agg(xmin::text || ctid::text ORDER BY id) FROM trades"
    before = await fetch_value(trades_dsn, versions)
    migration = await migrate_rows(legacy, trades_dsn)
    assert migration.is_unchanged
    assert migration.moved_sequences == ()
    assert await fetch_value(trades_dsn, versions) == before


async def test_other_rows_are_left_alone_and_refused(legacy: Path, edit: sqlite3.Connection, trades_dsn: str) -> None:
    await migrate_rows(legacy, trades_dsn)
    edit.execute("UPDATE trades SET quantity = quantity + 1 WHERE id = 42")
    with pytest.raises(DataRefused, match="/trades/42/quantity"):
        await migrate_rows(legacy, trades_dsn)
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 100


async def test_rows_in_a_table_of_the_target_alone_are_refused(legacy: Path, trades_dsn: str) -> None:
    await fetch_value(trades_dsn, "INSERT INTO market_data VALUES ('BHP.AX', '2026-01-05', 45.5, 10) RETURNING 1")
    with pytest.raises(DataRefused, match="other rows"):
        await migrate_rows(legacy, trades_dsn)
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 0


async def test_a_dry_run_leaves_no_row_and_no_sequence_behind(legacy: Path, trades_dsn: str) -> None:
    migration = await migrate_rows(legacy, trades_dsn, options=MigrationOptions(is_dry_run=True))
    assert migration.is_dry_run
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 0
    assert await fetch_value(trades_dsn, "SELECT nextval('trades_id_seq')") == 1


async def test_the_older_generation_is_filled_by_rule(tmp_path: Path, trades_dsn: str) -> None:
    legacy = tmp_path / "older.db"
    write_seed_database(legacy, older_generation=True)
    migration = await migrate_rows(legacy, trades_dsn)
    assert "trades.knowledge_timestamp = the row's created_at" in migration.rules
    assert "trades.event_timestamp = NULL" in migration.rules
    odd = "SELECT count(*) FROM trades WHERE knowledge_timestamp <> created_at OR event_timestamp IS NOT NULL"
    assert await fetch_value(trades_dsn, odd) == 0
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 100
    assert (await _compare(legacy, trades_dsn)).first == []
    assert (await migrate_rows(legacy, trades_dsn)).is_unchanged


async def test_a_rule_of_the_configuration_goes_first(tmp_path: Path, trades_dsn: str) -> None:
    legacy = tmp_path / "older.db"
    write_seed_database(legacy, older_generation=True)
    rows = RowsSettings(map={"trades": TableMap(added={"knowledge_timestamp": "= 2025-01-01 00:00:00"})})
    await migrate_rows(legacy, trades_dsn, rows=rows)
    known = await fetch_value(trades_dsn, "SELECT max(knowledge_timestamp)::text FROM trades")
    assert known == "2025-01-01 00:00:00"


async def test_values_of_every_kind_survive(legacy: Path, edit: sqlite3.Connection, trades_dsn: str) -> None:
    edit.execute(
        "UPDATE trades SET notes = ?, asset_name = '', quantity = 9e999, pnl = 1e-320, exit_price = 0.1 WHERE id = 7",
        ("naïve 日本語 🦜 ' \" \\ \n\t trailing ",),
    )
    edit.execute("UPDATE trades SET created_at = '0001-01-01 00:00:00.000001', updated_at = NULL WHERE id = 8")
    edit.execute("INSERT INTO index_constituents VALUES (5, 'BHP.AX', 'ASX200', '2026-01-01', NULL, 1, NULL)")
    edit.execute("INSERT INTO index_constituents VALUES (9, 'CBA.AX', 'ASX200', '2026-01-01', NULL, 0, NULL)")
    edit.execute("CREATE TABLE alembic_version (version_num TEXT)")
    edit.execute("CREATE TABLE parakeet_disposable (marked_at TEXT)")
    await migrate_rows(legacy, trades_dsn)
    assert (await _compare(legacy, trades_dsn)).first == []
    assert await fetch_value(trades_dsn, "SELECT nextval(pg_get_serial_sequence('index_constituents', 'id'))") == 10


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE trades SET notes = 'a' || char(0) || 'b' WHERE id = 7", r"row id=7, column notes: .*NUL"),
        ("UPDATE trades SET currency = 'AUDX' WHERE id = 7", r"row id=7, column currency: .*4 characters"),
        ("UPDATE trades SET quantity = 'many' WHERE id = 7", r"row id=7, column quantity: .*'many' in a number"),
        ("UPDATE trades SET status = 'open' WHERE id = 7", r"row id=7, column status: 'open' is none of OPEN"),
        ("UPDATE trades SET entry_date = 'soon' WHERE id = 7", r"row id=7, column entry_date: .*not a time"),
        ("UPDATE trades SET entry_date = 1700000000 WHERE id = 7", r"row id=7, column entry_date: .*not a time"),
        ("UPDATE trades SET exit_date = '2026-01-01 10:30:00+10:00' WHERE id = 7", r"column exit_date: .*offset"),
        ("UPDATE trades SET exit_date = '2026-01-01 10:30:00.1234567' WHERE id = 7", r"column exit_date: .*micro"),
        ("UPDATE trades SET ticker = CAST(x'ff41' AS TEXT) WHERE id = 7", r"row id=7, column ticker: .*UTF-8"),
        ("UPDATE trades SET notes = x'4142' WHERE id = 7", r"row id=7, column notes: the bytes"),
        ("UPDATE trades SET id = 3000000000 WHERE id = 7", r"row id=3000000000, column id: .*out of range"),
        (
            "INSERT INTO index_constituents VALUES (1, 'A', 'B', '2026-01-01', NULL, 2, NULL)",
            r"column active: 2 in a bool",
        ),
        ("CREATE TABLE surprises (id INTEGER PRIMARY KEY)", "no table for the legacy's surprises"),
        ("ALTER TABLE trades ADD COLUMN colour TEXT", "no column for the legacy's colour"),
        ("DROP INDEX ix_trades_trade_id; UPDATE trades SET trade_id = 'same' WHERE id IN (7, 8)", "already exists"),
    ],
)
async def test_what_cannot_be_carried_is_named_and_nothing_is_written(
    legacy: Path, edit: sqlite3.Connection, trades_dsn: str, sql: str, said: str
) -> None:
    edit.executescript(sql)
    with pytest.raises(DataRefused) as raised:
        await migrate_rows(legacy, trades_dsn)
    assert re.search(said, str(raised.value))
    assert raised.value.hint
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 0
    assert await fetch_value(trades_dsn, "SELECT nextval('trades_id_seq')") == 1


async def test_a_legacy_written_to_meanwhile_is_noticed(
    legacy: Path, edit: sqlite3.Connection, trades_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = PostgresLoad.copy

    async def copy_while_the_application_writes(self: PostgresLoad, *load: Any) -> None:
        await copy(self, *load)
        if load[0] != "trades":
            return
        edit.execute("UPDATE trades SET notes = 'late' WHERE id = 3")

    monkeypatch.setattr(PostgresLoad, "copy", copy_while_the_application_writes)
    with pytest.raises(DataRefused, match="/trades/3/notes"):
        await migrate_rows(legacy, trades_dsn)
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 0


async def test_rows_in_the_write_ahead_log_are_carried(legacy: Path, edit: sqlite3.Connection, trades_dsn: str) -> None:
    edit.execute("PRAGMA journal_mode = wal")
    edit.execute("DELETE FROM trades WHERE id > 60")
    await migrate_rows(legacy, trades_dsn)
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 60


@pytest.mark.parametrize("content", [None, b"", b"id,ticker\n1,BHP.AX\n", b"SQLite format 3\0 and then nothing of use"])
async def test_a_file_that_is_no_database_is_told(tmp_path: Path, trades_dsn: str, content: bytes | None) -> None:
    path = tmp_path / "file.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as raised:
        await migrate_rows(path, trades_dsn)
    assert raised.value.where == str(path)


async def test_a_damaged_page_is_told_with_its_table(legacy: Path, edit: sqlite3.Connection, trades_dsn: str) -> None:
    (page_bytes,) = edit.execute("PRAGMA page_size").fetchone()
    (root,) = edit.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'trades'").fetchone()
    with legacy.open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)
    with pytest.raises(ConfigurationError, match="damaged") as raised:
        await migrate_rows(legacy, trades_dsn)
    assert f"{legacy}, table trades" in raised.value.where
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 0


async def test_what_keeps_the_legacy_from_being_read_back_is_told(
    legacy: Path, trades_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_reader, "BLOCK_ROWS", 10)
    monkeypatch.setattr(sqlite_reader, "BLOCK_ROWS", 10)
    blocks, stages = SqliteReader.read_blocks, list[str]()

    async def fail_in_the_midst(self: SqliteReader, *asked: Any) -> AsyncIterator[Any]:
        async for block in blocks(self, *asked):
            yield block
            if "verified" in stages:  # and the target's next block is on its way
                raise ConfigurationError("the disk is gone")

    monkeypatch.setattr(SqliteReader, "read_blocks", fail_in_the_midst)
    options = MigrationOptions(on_rows=lambda stage, _rows: stages.append(stage))
    with pytest.raises(ConfigurationError, match="the disk is gone"):
        await migrate_rows(legacy, trades_dsn, options=options)
    assert await fetch_value(trades_dsn, "SELECT count(*) FROM trades") == 0


async def test_a_target_without_tables_is_told(legacy: Path, postgres_dsn: str) -> None:
    with pytest.raises(DataRefused, match="alembic upgrade head"):
        await migrate_rows(legacy, postgres_dsn)


async def test_an_unreachable_target_is_unavailable(legacy: Path) -> None:
    with pytest.raises(SystemUnavailable):
        await migrate_rows(legacy, "postgresql://u:p@127.0.0.1:1/d")


async def test_the_users_own_database_migrates(trades_dsn: str) -> None:
    if not _SEEDED.exists():
        pytest.skip(f"{_SEEDED.name} of the shared folder is not on this machine")
    await migrate_rows(_SEEDED, trades_dsn)
    found = await _compare(_SEEDED, trades_dsn)
    assert (found.tables["trades"], found.first) == (100, [])


async def test_a_mapped_table_migrates_under_its_new_names(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = tmp_path / "other.db"
    with closing(sqlite3.connect(legacy)) as database:
        database.executescript(
            "CREATE TABLE item (id INTEGER PRIMARY KEY, state TEXT, paid BOOLEAN, price NUMERIC);"
            "INSERT INTO item VALUES (1, 'new', 1, 10), (4, 'old', 0, 10.25)"
        )
    await fetch_value(postgres_dsn, "CREATE TYPE phase AS ENUM ('NEW', 'OLD')")
    await fetch_value(
        postgres_dsn,
        "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, phase phase NOT NULL, paid boolean,"
        " price numeric(10,2), source text NOT NULL, version int NOT NULL DEFAULT 1)",
    )
    each = TableMap(
        table="items",
        columns={"state": "phase"},
        enums={"state": {"new": "NEW", "old": "OLD"}},
        added={"source": "= legacy"},
    )
    rows = RowsSettings(map={"item": each})
    await migrate_rows(legacy, postgres_dsn, rows=rows)
    assert (await _compare(legacy, postgres_dsn, rows)).first == []
    assert await fetch_value(postgres_dsn, "SELECT count(*) FROM items WHERE source = 'legacy' AND version = 1") == 2


_SHOP = (
    "CREATE TABLE item (id INTEGER PRIMARY KEY, state INTEGER, cents INTEGER, at REAL, gone TEXT);"
    "INSERT INTO item VALUES (1, 0, 1234, 1700000000.25, 'x'), (2, 1, NULL, 0, NULL); CREATE TABLE scratch (a TEXT)"
)
_SHOP_ROWS = RowsSettings(
    map={
        "item": TableMap(
            table="items",
            columns={"state": "phase", "cents": "price"},
            enums={"state": {"0": "NEW", "1": "OLD"}},
            units={"cents": "/ 100", "at": "epoch s"},
            dropped=["gone"],
        )
    },
    dropped=["scratch"],
)


async def test_units_labels_and_what_is_dropped_are_carried_and_compared(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = tmp_path / "shop.db"
    with closing(sqlite3.connect(legacy)) as database:
        database.executescript(_SHOP)
    await fetch_value(postgres_dsn, "CREATE TYPE phase AS ENUM ('NEW', 'OLD')")
    await fetch_value(
        postgres_dsn,
        "CREATE TABLE items (id bigint PRIMARY KEY, phase phase, price numeric(10,2), at timestamptz)",
    )
    await migrate_rows(legacy, postgres_dsn, rows=_SHOP_ROWS)
    row = await fetch_value(
        postgres_dsn, "SELECT (id, phase, price, extract(epoch FROM at))::text FROM items WHERE id = 1"
    )
    assert row == "(1,NEW,12.34,1700000000.250000)"
    assert (await _compare(legacy, postgres_dsn, _SHOP_ROWS)).first == []
    await fetch_value(postgres_dsn, "UPDATE items SET price = 1234 WHERE id = 1")
    assert [each.pointer for each in (await _compare(legacy, postgres_dsn, _SHOP_ROWS)).first] == ["/item/1/cents"]


async def test_a_value_without_a_counterpart_is_named_by_table_row_and_column(
    tmp_path: Path, postgres_dsn: str
) -> None:
    legacy = tmp_path / "shop.db"
    with closing(sqlite3.connect(legacy)) as database:
        database.executescript(_SHOP + "; INSERT INTO item VALUES (3, 7, 'dear', 1, NULL)")
    await fetch_value(
        postgres_dsn, "CREATE TABLE items (id bigint PRIMARY KEY, phase text, price numeric(10,2), at timestamptz)"
    )
    with pytest.raises(DataRefused) as raised:
        await migrate_rows(legacy, postgres_dsn, rows=_SHOP_ROWS)
    assert "table item, row id=3, column state: the value 7 is not covered" in str(raised.value)
    assert 'table item, row id=3, column cents: "dear" is no number' in str(raised.value)
    assert await fetch_value(postgres_dsn, "SELECT count(*) FROM items") == 0


async def test_a_mapping_to_what_is_not_there_is_a_configuration_error(legacy: Path, trades_dsn: str) -> None:
    for rows in (RowsSettings(map={"tradez": TableMap()}), RowsSettings(map={"trades": TableMap(columns={"x": "id"})})):
        with pytest.raises(ConfigurationError, match="not there"):
            await migrate_rows(legacy, trades_dsn, rows=rows)
        with pytest.raises(ConfigurationError, match="not there"):
            await _compare(legacy, trades_dsn, rows)


async def test_a_locked_legacy_is_unavailable(legacy: Path, edit: sqlite3.Connection) -> None:
    edit.execute("BEGIN EXCLUSIVE")
    with pytest.raises(HarnessError) as raised:
        async with SqliteSource(legacy, busy_timeout_s=0.05).open_reader() as reader:
            await reader.read_schemas()
    assert isinstance(raised.value, SystemUnavailable)


async def test_what_broke_the_connection_in_a_migration_is_told(trades_dsn: str) -> None:
    with pytest.raises(SystemUnavailable, match="terminating connection"):
        async with PostgresTarget(trades_dsn).transaction(commit=True) as load:
            await load._connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
