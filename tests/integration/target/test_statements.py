"""What the database is told of a statement's request, and what ends one that takes too long."""

import asyncio
import re
import time

import pytest
from sqlalchemy import event, text
from target_support import client_of, settings_for

from target.app import create_app
from target.database import engine as engine_module
from target.database.engine import Database
from target.database.sync import SyncDatabase
from target.errors import DatabaseUnavailable
from target.observability.correlation import correlated
from target.secrets import SecretStore

RUNNING = text("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")


def opened(url: str, **values: object) -> Database:
    settings = settings_for(url, is_lambda=True, aws_secrets_manager_name="", **values)
    return Database(settings, SecretStore(settings))


@pytest.mark.parametrize("is_pooled", [False, True])
async def test_a_statement_names_its_request_and_no_other(postgres_url: str, is_pooled: bool):
    database = opened(postgres_url, database_pooler=is_pooled)
    seen = []
    for request_id in ("JKJaXmPLvHcESHA=", "", "2", "*/ SELECT 1; --"):
        with correlated(request_id):
            async with database.session() as session:
                seen.append(str(await session.scalar(RUNNING)).removesuffix(str(RUNNING)))
    await database.dispose()
    assert seen == ["/* request_id=JKJaXmPLvHcESHA= */ ", "", "/* request_id=2 */ ", "/* request_id=SELECT1-- */ "]


async def test_requests_at_once_keep_their_own_names(postgres_url: str):
    database = opened(postgres_url)

    async def ask(request_id: str) -> bool:
        with correlated(request_id):
            async with database.session() as session:
                return f"request_id={request_id} " in str(await session.scalar(RUNNING))

    assert all(await asyncio.gather(*(ask(f"r{number}") for number in range(10))))
    await database.dispose()


async def test_all_statements_of_a_request_carry_one_id_and_no_two_requests_the_same(postgres_url: str):
    app = create_app(settings_for(postgres_url))
    statements: list[str] = []
    async with client_of(app) as client:
        assert (await client.get("/api/trades/")).status_code == 200  # builds the engine
        engine = app.state.database._engine.sync_engine
        event.listen(engine, "after_cursor_execute", lambda *sent: statements.append(sent[2]))
        for _ in range(2):
            assert (await client.get("/api/trades/")).status_code == 200
    await app.state.database.dispose()
    ids = [found[1] for sent in statements if (found := re.match(r"/\* request_id=([0-9a-f]{32}) \*/ SELECT", sent))]
    assert len(ids) == len(statements) == 4
    assert (ids[0], ids[2]) == (ids[1], ids[3])
    assert ids[0] != ids[2]


def test_a_synchronous_statement_names_its_request_too(postgres_url: str):
    database = SyncDatabase(postgres_url, settings_for(postgres_url))
    with correlated("r1"), database.session() as session:
        assert str(session.scalar(RUNNING)).startswith("/* request_id=r1 */ ")
    database.dispose()


async def test_a_statement_that_takes_too_long_is_ended_and_its_connection_serves_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine_module, "_COMMAND_TIMEOUT_S", 0.2)
    database = opened(postgres_url)
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        async with database.session() as session:
            await session.execute(text("SELECT pg_sleep(60)"))
    async with database.session() as session:
        still = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
        assert await session.scalar(text(f"{still} AND state = 'active'")) == 0
    assert time.monotonic() - began < 30
    await database.dispose()


async def test_a_transaction_left_open_by_a_killed_environment_ends_by_itself(postgres_url: str):
    database = opened(postgres_url)
    async with database.session() as session:
        limit = await session.scalar(text("SELECT current_setting('idle_in_transaction_session_timeout')"))
        name = await session.scalar(text("SELECT current_setting('application_name')"))
    await database.dispose()
    assert (limit, name) == ("5min", "parakeet-target")
