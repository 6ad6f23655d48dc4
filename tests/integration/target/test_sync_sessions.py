"""Synchronous sessions see and write what asynchronous ones do, on both databases."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from target_support import settings_for

from harness.child import free_port
from target.database.engine import Database
from target.database.models import Trade
from target.database.sync import SyncDatabase
from target.errors import DatabaseUnavailable
from target.secrets import SecretStore

GOOD = {"ticker": "QQQ", "direction": "BUY", "quantity": 1.5, "entry_price": 2.0, "entry_date": datetime(2024, 3, 4)}


def opened(url: str, **values: object) -> SyncDatabase:
    return SyncDatabase(url, settings_for(url, **values))


async def ids_seen_asynchronously(url: str) -> list[str]:
    settings = settings_for(url)
    database = Database(settings, SecretStore(settings))
    async with database.session() as session:
        found = list(await session.scalars(select(Trade.trade_id)))
    await database.dispose()
    return found


def test_what_a_session_writes_is_committed_and_seen_asynchronously(database_url: str):
    database = opened(database_url)
    with database.session() as session:
        session.add(Trade(trade_id="S-1", **GOOD))
        session.flush()
    database.dispose()
    assert asyncio.run(ids_seen_asynchronously(database_url)) == ["S-1"]


def test_a_session_that_fails_leaves_nothing(database_url: str):
    database = opened(database_url)
    with pytest.raises(RuntimeError), database.session() as session:
        session.add(Trade(trade_id="S-1", **GOOD))
        session.flush()
        raise RuntimeError
    with database.session() as session:
        assert session.scalars(select(Trade)).all() == []
    database.dispose()


def test_a_server_that_does_not_answer_is_told_as_such(postgres_url: str):
    nobody = make_url(postgres_url).set(host="127.0.0.1", port=free_port(), query={})
    database = opened(nobody.render_as_string(hide_password=False))
    with pytest.raises(DatabaseUnavailable), database.session() as session:
        session.scalar(select(Trade.id))


def test_a_connection_that_the_server_ended_is_replaced_unnoticed(postgres_url: str):
    database, other = opened(postgres_url), opened(postgres_url)
    for each in (database, other):
        with each.session() as session:
            session.execute(text("SELECT 1"))
    with other.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with database.session() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.dispose()
    other.dispose()


def test_a_statement_that_takes_too_long_is_ended(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("target.database.sync._STATEMENT_TIMEOUT_MS", 50)
    database = opened(postgres_url)
    with pytest.raises(DatabaseUnavailable), database.session() as session:
        session.execute(text("SELECT pg_sleep(30)"))
    database.dispose()


def test_a_mistake_in_a_statement_is_no_outage_and_shows_no_values(database_url: str):
    database = opened(database_url)
    with pytest.raises(DBAPIError) as mistake, database.session() as session:
        session.execute(text("SELECT :value FROM nowhere"), {"value": "hunter2"})
    assert "hunter2" not in str(mistake.value)
    database.dispose()
