"""Databases for the target: SQLite and PostgreSQL, migrated, empty or filled from the recorded seed."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command
from fastapi import FastAPI
from target_support import alembic_config, client_of, fill_from_seed, settings_for

from target.app import create_app
from target.database.engine import Database
from target.secrets import SecretStore


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "trades.db"
    command.upgrade(alembic_config(f"sqlite:///{path}"), "head")
    return path


@pytest.fixture(scope="session")
def _migrated_template(postgres_server: Any) -> str:
    name = "target_migrated"
    postgres_server.psql(f"CREATE DATABASE {name};")
    command.upgrade(alembic_config(postgres_server.get_uri(database=name)), "head")
    return name


@pytest.fixture
def sqlite_url(tmp_path: Path, _migrated_file: Path) -> str:
    """A migrated, empty SQLite file."""
    return f"sqlite:///{shutil.copy(_migrated_file, tmp_path / 'trades.db')}"


@pytest.fixture
def postgres_url(new_database: Callable[[str], str], _migrated_template: str) -> str:
    """A migrated, empty PostgreSQL database."""
    return new_database(_migrated_template)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn, migrated and empty."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
def seeded_url(database_url: str) -> str:
    """Each database in turn, holding the recorded 100 trades."""
    fill_from_seed(database_url)
    return database_url


@pytest.fixture
def app(database_url: str) -> FastAPI:
    return create_app(settings_for(database_url, is_lambda=True, aws_secrets_manager_name=""))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as opened:
        yield opened
    await app.state.database.dispose()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Each database in turn, as the application opens it."""
    settings = settings_for(database_url)
    opened = Database(settings, SecretStore(settings))
    yield opened
    await opened.dispose()
