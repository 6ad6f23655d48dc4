"""PostgreSQL is restarted under load: 503 while it lasts, then on as before; no write is lost or doubled."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest
from alembic import command
from target_support import alembic_config, client_of, settings_for

from harness.staging.pooler import LocalPooler, find_pooler
from harness.staging.postgres import LocalPostgres
from target.app import create_app

ENVIRONMENTS = 6
POOL_SIZE = 3
WRITES = 10
LONGEST_S = 60
GOOD = {
    "ticker": "QQQ",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 100.5,
    "entry_date": "2024-03-04T10:30:00",
}


@dataclass
class Writer:
    """Creates trades and notes on them, one after another, until it is told to end."""

    client: httpx.AsyncClient
    name: str
    sent: int = 0
    created: list[str] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)
    refused: int = 0

    async def run(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            self.sent += 1
            trade_id = f"{self.name}-{self.sent}"
            created = await self._send("POST", "/api/trades/", {**GOOD, "trade_id": trade_id}, 201)
            if created is None:
                continue
            self.created.append(trade_id)
            if await self._send("PATCH", f"/api/trades/{created.json()['id']}", {"notes": trade_id}, 200):
                self.noted.append(trade_id)

    async def _send(self, method: str, path: str, body: object, wanted: int) -> httpx.Response | None:
        answer = await self.client.request(method, path, json=body)
        if answer.status_code == wanted:
            return answer
        assert (answer.status_code, answer.headers.get("retry-after")) == (503, "2"), answer.text
        self.refused += 1
        await asyncio.sleep(0.01)  # a polite client would wait for two seconds
        return None


@pytest.fixture
async def server() -> AsyncIterator[LocalPostgres]:
    # Not below tmp_path: it runs as another user and would open up every parent folder.
    directory = Path(tempfile.mkdtemp(prefix="parakeet-restart-"))
    postgres = LocalPostgres(directory)
    await postgres.start()
    try:
        await asyncio.to_thread(command.upgrade, alembic_config(postgres.dsn), "head")
        yield postgres
    finally:
        await postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("is_pooled", [False, True], ids=["directly", "pooled"])
async def test_a_restart_under_load_loses_and_doubles_nothing(server: LocalPostgres, tmp_path: Path, is_pooled: bool):
    async with AsyncExitStack() as stack, asyncio.timeout(LONGEST_S):
        dsn = server.dsn
        if is_pooled:
            dsn = await _through_pooler(dsn, stack)
        apps = [
            create_app(settings_for(dsn, database_pooler=is_pooled, is_lambda=True, aws_secrets_manager_name=""))
            for _ in range(ENVIRONMENTS)
        ]
        for app in apps:
            stack.push_async_callback(app.state.database.dispose)
        clients = [await stack.enter_async_context(client_of(app)) for app in apps]
        writers = [Writer(client, f"R{number}") for number, client in enumerate(clients)]
        await _load_over_a_restart(writers, server)
    await _verify(writers, server.dsn)


async def _through_pooler(dsn: str, stack: AsyncExitStack) -> str:
    if find_pooler() is None:
        pytest.skip("PgBouncer is not installed (apt-get install pgbouncer)")
    directory = Path(tempfile.mkdtemp(prefix="parakeet-pooler-"))
    stack.callback(shutil.rmtree, directory)
    pooler = LocalPooler(dsn, directory, pool_size=POOL_SIZE)
    stack.push_async_callback(pooler.stop)
    await pooler.start()
    return pooler.dsn


async def _load_over_a_restart(writers: list[Writer], server: LocalPostgres) -> None:
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.run(is_over))
        await _until(lambda: all(len(writer.noted) >= WRITES for writer in writers))
        await server.restart()
        before = [len(writer.noted) for writer in writers]
        await _until(lambda: all(len(w.noted) >= n + WRITES for w, n in zip(writers, before, strict=True)))
        is_over.set()


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - many writers change what is asked for
        await asyncio.sleep(0.01)


async def _verify(writers: list[Writer], dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    notes = {name: note for name, note in await connection.fetch("SELECT trade_id, notes FROM trades")}
    changes = await connection.fetch("SELECT trade_id, count(*) FROM trades_history GROUP BY trade_id")
    await connection.close()
    created = {name for writer in writers for name in writer.created}
    sent = {f"{writer.name}-{number}" for writer in writers for number in range(1, writer.sent + 1)}
    assert created <= notes.keys() <= sent, "a create that was acknowledged is gone"
    assert all(notes[name] == name for writer in writers for name in writer.noted), "an acknowledged note is gone"
    assert {count for _, count in changes} == {1}, "a note was written twice"
    assert sum(writer.refused for writer in writers) > 0, "nobody noticed the restart, so it proves nothing"
