"""The migrations make what the models say, on both databases, and undo it."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from target_support import LEGACY, alembic_config

from target.database.urls import async_database_url

LEGACY_TABLES = {"trades", "portfolio_snapshots", "index_constituents"}
TABLES = LEGACY_TABLES | {"jobs", "backtests", "scans", "trades_history", "ingest_runs", "ingest_failures"}


async def tables_of(url: str) -> set[str]:
    engine = create_async_engine(async_database_url(url))
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    await engine.dispose()
    return names


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("postgres_dsn"))


def test_the_models_and_the_migrated_database_agree(empty_url: str):
    config = alembic_config(empty_url)
    with pytest.raises(CommandError, match="not up to date"):
        command.check(config)
    command.upgrade(config, "head")
    command.check(config)


def test_down_and_up_again_leaves_the_same_tables(empty_url: str):
    config = alembic_config(empty_url)
    expected = TABLES | ({"market_data"} if empty_url.startswith("postgresql") else set())
    for _ in range(2):
        command.upgrade(config, "head")
        assert asyncio.run(tables_of(empty_url)) - {"sqlite_sequence"} == expected | {"alembic_version"}
        command.downgrade(config, "base")
        assert asyncio.run(tables_of(empty_url)) - {"sqlite_sequence"} == {"alembic_version"}


def test_a_column_that_drifts_is_noticed(empty_url: str):
    async def drift() -> None:
        engine = create_async_engine(async_database_url(empty_url))
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE trades ADD COLUMN stray INTEGER"))
        await engine.dispose()

    config = alembic_config(empty_url)
    command.upgrade(config, "head")
    asyncio.run(drift())
    with pytest.raises(CommandError, match="stray"):
        command.check(config)


def test_the_sqlite_tables_have_the_legacys_columns_and_indices(sqlite_url: str):
    if not (LEGACY / "seeded_trades.db").exists():
        pytest.skip(f"no recorded legacy database at {LEGACY}")
    theirs = inspect_file(f"file:{LEGACY / 'seeded_trades.db'}?immutable=1")
    ours = inspect_file(f"file:{make_url(sqlite_url).database}?mode=ro")
    assert ours == theirs


def inspect_file(uri: str) -> dict[str, object]:
    """Columns (name, type, nullability, default) and indices (columns, uniqueness) by table."""
    connection = sqlite3.connect(uri, uri=True)
    seen: dict[str, object] = {}
    for table in LEGACY_TABLES:
        columns = connection.execute(f"SELECT name, type, [notnull], dflt_value FROM pragma_table_info('{table}')")
        seen[table] = columns.fetchall()
        for name, unique in connection.execute(f"SELECT name, [unique] FROM pragma_index_list('{table}')").fetchall():
            held = connection.execute(f"SELECT name FROM pragma_index_info('{name}')").fetchall()
            seen[name] = (unique, held)
    connection.close()
    return seen


def test_market_data_holds_its_checks_and_its_trigger(postgres_url: str):
    asyncio.run(_exercise_market_data(postgres_url))


async def _exercise_market_data(url: str) -> None:
    engine = create_async_engine(async_database_url(url))
    insert = "INSERT INTO market_data (ticker, date, open, high, low, close, volume, data_quality) VALUES "
    async with engine.begin() as connection:
        await connection.execute(text(insert + "('A', '2024-01-02', 10, 12, 9, 11, 5, 'good')"))
    for row in (
        "('B', '2024-01-02', 10, 12, 11, 11, 5, 'good')",
        "('B', '2024-01-02', 10, 9, 8, 8, 5, 'good')",
        "('B', '2024-01-02', 10, 12, 9, 11, -1, 'good')",
        "('B', '2024-01-02', 10, 12, -1, 11, 1, 'good')",
        "('B', '2024-01-02', 10, 12, 9, 11, 5, 'fine')",
        "('A', '2024-01-02', 10, 12, 9, 11, 5, 'good')",
    ):
        with pytest.raises(IntegrityError):
            async with engine.begin() as connection:
                await connection.execute(text(insert + row))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE market_data SET updated_at = '2020-01-01', volume = 6"))
        fresh = await connection.scalar(text("SELECT updated_at > now() - interval '1 minute' FROM market_data"))
    assert fresh
    await engine.dispose()


def test_the_folder_of_a_new_sqlite_file_is_made(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'data' / 'trades.db'}"
    command.upgrade(alembic_config(url), "head")
    assert asyncio.run(tables_of(url)) >= TABLES


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_the_statements_alone_can_be_printed(backend: str, capsys: pytest.CaptureFixture[str]):
    command.upgrade(alembic_config(f"{backend}://"), "head", sql=True)
    printed = capsys.readouterr().out
    assert "CREATE TABLE trades" in printed
    assert ("CREATE TRIGGER market_data_updated_at" in printed) is (backend == "postgresql")
