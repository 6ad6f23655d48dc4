"""A probe's token changes with every commit of another connection and with nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from harness.adapters.change_probe import PostgresProbe, SqliteProbe


@pytest.mark.parametrize("mode", ["delete", "wal"])
async def test_sqlite(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a b%20c.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA journal_mode = {mode}")
        writer.execute("CREATE TABLE t (x)")
        probe = SqliteProbe(path)
        first = await probe.token()
        writer.execute("SELECT * FROM t").fetchall()
        assert first is not None and await probe.token() == first
        writer.execute("BEGIN")
        writer.execute("INSERT INTO t VALUES (1)")
        assert await probe.token() == first, "not committed yet"
        writer.execute("COMMIT")
        second = await probe.token()
        assert second != first
        writer.execute("UPDATE t SET x = 2")
        assert await probe.token() != second
        await probe.close()


async def test_a_file_that_cannot_be_read_yields_no_token(tmp_path: Path) -> None:
    probe = SqliteProbe(tmp_path / "none.db")
    assert await probe.token() is None
    await probe.close()


async def test_postgres(postgres_dsn: str) -> None:
    writer = await asyncpg.connect(postgres_dsn)
    await writer.execute("CREATE TABLE t (x int)")
    probe = PostgresProbe(postgres_dsn)
    before = await probe.token()
    transaction = writer.transaction()
    await transaction.start()
    await writer.execute("INSERT INTO t VALUES (1)")
    open_token = await probe.token()
    await transaction.commit()
    committed = await probe.token()
    assert before is not None and committed not in (before, open_token)
    await writer.execute("UPDATE t SET x = 2")
    assert await probe.token() != committed
    await writer.close()
    await probe.close()


async def test_an_unreachable_server_yields_no_token() -> None:
    probe = PostgresProbe("postgresql://nobody@127.0.0.1:1/none")
    try:
        assert await probe.token() is None
    finally:
        await probe.close()
