"""Runs the migrations on an async engine, on SQLite and on PostgreSQL.

The address is, in this order: `-x url=...`, `config.attributes["url"]`, the `DATABASE_URL` family of the settings.
`config.attributes["connection"]` gives an open connection instead.
"""

import asyncio
from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import target.database.history
import target.database.ingest
import target.database.jobs  # noqa: F401 - its tables belong to the metadata
from target.database.market_data import MARKET_DATA
from target.database.models import Base
from target.database.urls import async_database_url
from target.settings import load_settings

metadata = Base.metadata


def _address() -> str:
    given = context.get_x_argument(as_dictionary=True).get("url") or context.config.attributes.get("url")
    return async_database_url(str(given)) if given else load_settings().database_url_async


def _options(dialect: str) -> dict[str, Any]:
    """What both modes share; a table for PostgreSQL alone does not exist elsewhere."""

    def belongs(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
        return dialect == "postgresql" or kind != "table" or name != MARKET_DATA.name

    return {
        "target_metadata": metadata,
        "compare_type": True,
        "include_object": belongs,
        "render_as_batch": dialect == "sqlite",
    }


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, **_options(connection.dialect.name))
    with context.begin_transaction():
        context.run_migrations()


def _make_folder(address: str) -> None:
    """SQLite makes the file but not the folder that it is to lie in."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)


async def _migrate_online() -> None:
    address = _address()
    _make_folder(address)
    engine = create_async_engine(address, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate)
            await connection.commit()
    finally:
        await engine.dispose()


def _print_statements() -> None:
    address = _address()
    context.configure(url=address, literal_binds=True, **_options(address.partition("+")[0]))
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _print_statements()
elif (connection := context.config.attributes.get("connection")) is not None:
    _migrate(connection)
else:
    asyncio.run(_migrate_online())
