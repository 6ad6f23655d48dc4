"""What the target's integration tests share beside fixtures."""

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy import DateTime, text
from sqlalchemy.ext.asyncio import create_async_engine

from target.database.models import Base
from target.database.urls import async_database_url
from target.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
LEGACY = ROOT / ".." / "shared" / "legacy"


def alembic_config(url: str) -> Config:
    config = Config(toml_file=str(ROOT / "pyproject.toml"))
    config.attributes["url"] = url
    return config


def settings_for(url: str, **values: object) -> Settings:
    """Settings for one database that no .env file of the developer's changes."""
    return Settings(_env_file=None, **{"use_neon": False, "database_url": url, **values})


def fill_from_seed(url: str) -> None:
    """Copy the recorded legacy database, ids included, and set the sequences after them."""
    if not (LEGACY / "seeded_trades.db").exists():
        pytest.skip(f"no recorded legacy database at {LEGACY}")
    asyncio.run(_fill(async_database_url(url)))


async def _fill(url: str) -> None:
    source = sqlite3.connect(f"file:{LEGACY / 'seeded_trades.db'}?immutable=1", uri=True)
    table = Base.metadata.tables["trades"]
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in source.execute(f"SELECT {', '.join(names)} FROM trades")]
    source.close()
    moments = [column.name for column in table.columns if isinstance(column.type, DateTime)]
    for row in rows:
        row |= {name: _moment(row[name]) for name in moments}
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(table.insert(), rows)
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT setval(pg_get_serial_sequence('trades', 'id'), 100)"))
    await engine.dispose()


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://target.test")
