"""The embedded PostgreSQL: what its users rely on, and what a killed run leaves behind."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.staging.postgres import LocalPostgres
from tests.builders.interruption import Interruption
from tests.builders.postgres import connected, execute

KILLED_RUN = """
import asyncio, sys
from pathlib import Path
from harness.staging.postgres import LocalPostgres

async def main():
    server = LocalPostgres(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalPostgres]:
    server = LocalPostgres(tmp_path / "postgres")
    await server.start()
    yield server
    await server.stop()


async def test_text_is_ordered_by_bytes_and_the_server_is_one_that_neon_offers(server: LocalPostgres) -> None:
    connection = await asyncpg.connect(server.dsn)
    rows = await connection.fetch("SELECT v FROM (VALUES ('b'), ('A'), ('a'), ('B'), ('é')) t (v) ORDER BY v")
    await connection.close()
    assert [row["v"] for row in rows] == ["A", "B", "a", "b", "é"]
    assert server.server_version.startswith("18.")


async def test_the_owner_of_a_created_database_may_create_tables_and_is_no_superuser(
    server: LocalPostgres,
) -> None:
    connection = await asyncpg.connect(await server.create_database('with "quotes" and-dashes'))
    await connection.execute("CREATE TABLE t (id serial)")
    assert await connection.fetchval("SELECT current_setting('is_superuser')") == "off"
    assert int(await connection.fetchval("SHOW max_connections")) >= 60
    await connection.close()


async def test_a_start_that_is_interrupted_writes_nothing_behind_the_stop(tmp_path: Path) -> None:
    for at in (1, 2, 4):
        server = LocalPostgres(tmp_path / str(at))
        interruption = Interruption(at, is_late=False)
        await interruption.during(server.start)
        await server.stop()
        assert interruption.has_come
        assert (tmp_path / str(at) / "data" / "PG_VERSION").is_file(), "its directory is still being made"


async def test_a_wrong_password_is_refused(server: LocalPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.dsn, password="guess")


async def test_the_data_survive_a_clean_stop(tmp_path: Path) -> None:
    first = LocalPostgres(tmp_path)
    await first.start()
    dsn = await first.create_database("kept")
    await execute(dsn, "CREATE TABLE t AS SELECT 7 AS n")
    await first.stop()
    await first.stop()
    second = LocalPostgres(tmp_path)
    await second.start()
    try:
        assert await _fetch(second.dsn.rsplit("/", 1)[0] + "/kept", "SELECT n FROM t") == 7
    finally:
        await second.stop()


async def test_a_killed_run_takes_its_server_with_it_and_the_next_start_works(tmp_path: Path) -> None:
    server_pid = await asyncio.to_thread(_run_until_killed, tmp_path)
    server = LocalPostgres(tmp_path)
    await server.start()
    try:
        assert server.pid != server_pid
        assert await asyncio.to_thread(_is_gone, server_pid)
        assert await _fetch(server.dsn, "SELECT 1") == 1
    finally:
        await server.stop()


async def test_a_lock_whose_process_id_belongs_to_a_stranger_does_not_block(tmp_path: Path) -> None:
    server = LocalPostgres(tmp_path)
    await server.start()
    await server.stop()
    (tmp_path / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n", encoding="ascii")
    await server.start()
    await server.stop()


async def test_a_half_initialised_cluster_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "data.unfinished").mkdir()
    (tmp_path / "data.unfinished" / "PG_VERSION").write_text("18\n", encoding="ascii")
    server = LocalPostgres(tmp_path)
    await server.start()
    await server.stop()
    assert not (tmp_path / "data.unfinished").exists()


async def test_a_directory_in_use_is_refused_and_left_alone(server: LocalPostgres, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"process {server.pid} "):
        await LocalPostgres(tmp_path / "postgres").start()
    assert await _fetch(server.dsn, "SELECT 1") == 1


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    server = LocalPostgres(tmp_path, max_connections=-1)
    with pytest.raises(SystemUnavailable, match="max_connections"):
        await server.start()
    assert server.pid is None


async def test_a_stopped_server_is_gone(tmp_path: Path) -> None:
    server = LocalPostgres(tmp_path)
    await server.start()
    pid = server.pid
    assert pid is not None
    await server.stop()
    assert not psutil.pid_exists(pid)


def _run_until_killed(directory: Path) -> int:
    run = subprocess.Popen([sys.executable, "-c", KILLED_RUN, str(directory)], stdout=subprocess.PIPE, text=True)
    with run:
        assert run.stdout is not None
        server_pid = int(run.stdout.readline())
        run.kill()
    return server_pid


def _is_gone(pid: int) -> bool:
    try:
        psutil.Process(pid).wait(timeout=10)
    except psutil.NoSuchProcess:
        return True
    return not psutil.pid_exists(pid)


async def _fetch(dsn: str, sql: str) -> object:
    async with connected(dsn) as connection:
        return await asyncio.wait_for(connection.fetchval(sql), 10)
