"""What the environment says, and what of it can leak."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from target.database.engine import build_engine
from target.database.urls import async_database_url, sync_database_url
from target.settings import AuthMode, Settings, load_settings

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env of the developer's
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sqlite:///./data/trades.db", "sqlite+aiosqlite:///./data/trades.db"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"),
        ("postgresql+asyncpg://u:p%40@h/d", "postgresql+asyncpg://u:p%40@h/d"),
        (
            "postgresql://u:p@ep-x-pooler.eu.neon.tech/d?sslmode=require&channel_binding=require",
            "postgresql+asyncpg://u:p@ep-x-pooler.eu.neon.tech/d?ssl=require",
        ),
        ("postgresql://u@/d?host=/tmp/s", "postgresql+asyncpg://u@/d?host=%2Ftmp%2Fs"),
    ],
)
def test_an_address_gets_an_async_driver(address: str, expected: str):
    assert async_database_url(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sqlite+aiosqlite:///./data/trades.db", "sqlite:///./data/trades.db"),
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+asyncpg://u:p@h/d?ssl=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        (
            "postgresql://u:p@ep-x-pooler.eu.neon.tech/d?sslmode=require&channel_binding=require",
            "postgresql+psycopg://u:p@ep-x-pooler.eu.neon.tech/d?channel_binding=require&sslmode=require",
        ),
    ],
)
def test_an_address_gets_a_synchronous_driver(address: str, expected: str):
    assert sync_database_url(address) == expected


@pytest.mark.parametrize("translate", [async_database_url, sync_database_url])
@pytest.mark.parametrize("address", ["", "hunter2", "mysql://u:hunter2@h/d"])
def test_an_unusable_address_is_refused_without_repeating_it(address: str, translate: Callable[[str], str]):
    with pytest.raises(ValueError, match=r"use .*postgresql://") as refusal:
        translate(address)
    assert "hunter2" not in str(refusal.value)


def test_neon_takes_the_place_of_the_default_database(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x.db")
    monkeypatch.setenv("NEON_DATABASE_URL", "postgresql://u:p@h/d?sslmode=require")
    assert load_settings().database_url_async == "sqlite+aiosqlite:///x.db"
    monkeypatch.setenv("USE_NEON", "true")
    assert load_settings().database_url_async == "postgresql+asyncpg://u:p@h/d?ssl=require"


def test_neon_without_an_address_says_what_to_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("USE_NEON", "true")
    with pytest.raises(ValidationError, match="set it, or turn USE_NEON off"):
        load_settings()
    monkeypatch.setenv("IS_LAMBDA", "true")  # there, the secret has it
    assert load_settings().reads_secrets_manager


@pytest.mark.parametrize("name", ["IS_LAMBDA", "AWS_LAMBDA_FUNCTION_NAME"])
def test_either_variable_tells_that_this_is_lambda(monkeypatch: pytest.MonkeyPatch, name: str):
    assert not load_settings().runs_in_lambda
    monkeypatch.setenv(name, "1")
    assert load_settings().runs_in_lambda


@pytest.mark.parametrize("text", ['["https://a.test", "https://b.test"]', "https://a.test, https://b.test,"])
def test_origins_are_a_json_list_or_a_comma_separated_one(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("CORS_ORIGINS", text)
    assert load_settings().cors_origins == ("https://a.test", "https://b.test")


def test_no_secret_shows_in_a_repr(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NEON_DATABASE_URL", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("JWT_SECRET", "hunter2")
    settings = load_settings()
    assert "hunter2" not in f"{settings!r} {settings}"


def test_the_defaults_are_the_contracts():
    settings = load_settings()
    assert (settings.app_name, settings.app_version) == ("Quant Trading Dashboard API", "2.0.0")
    assert settings.auth_mode is AuthMode.COMPAT
    assert not settings.debug
    assert settings.cors_origins[0] == "http://localhost:3000"


def test_the_example_file_names_exactly_the_variables_that_are_read():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [match[1] for line in lines if (match := re.match(r"([A-Z0-9_]+)=", line))]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_file_is_loadable_and_says_the_defaults():
    example = Settings(_env_file=ROOT / ".env.example")  # type: ignore[call-arg]
    assert example == Settings()


def test_one_connection_under_lambda():
    pool = build_engine("postgresql+asyncpg://u:p@h/d", Settings(is_lambda=True)).pool
    assert (pool.size(), pool._max_overflow, pool._pre_ping) == (1, 0, True)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("host", "database_pooler", "is_pooled"),
    [("ep-a-pooler.neon.test", False, True), ("ep-a.neon.test", True, True), ("ep-a.neon.test", False, False)],
)
def test_behind_a_pooler_nothing_is_kept_by_name_and_no_setting_made_that_it_refuses(
    host: str, database_pooler: bool, is_pooled: bool, monkeypatch: pytest.MonkeyPatch
):
    given: dict[str, Any] = {}

    def build(address: str, **options: Any) -> AsyncEngine:
        given.update(options["connect_args"])
        return create_async_engine(address, **options)

    monkeypatch.setattr("target.database.engine.create_async_engine", build)
    build_engine(f"postgresql+asyncpg://u:p@{host}/d", Settings(database_pooler=database_pooler))
    assert given["command_timeout"] > given["timeout"] > 0
    assert ("idle_in_transaction_session_timeout" in given["server_settings"]) is not is_pooled
    if is_pooled:
        assert (given["statement_cache_size"], given["prepared_statement_cache_size"]) == (0, 0)
        assert given["prepared_statement_name_func"]() == ""
