"""The engine and its sessions: built when first needed, on the loop that uses them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg  # noqa: F401 - else the first session would import it; INIT has the processor to itself
import sqlalchemy.dialects.postgresql.asyncpg  # noqa: F401 - as above
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from target.database.comments import comment_statements
from target.database.outages import credentials_were_refused, unavailable_as_503
from target.database.urls import is_pooler_address
from target.errors import DatabaseUnavailable
from target.secrets import SecretStore
from target.settings import Settings

_CONNECT_TIMEOUT_S = 5
_COMMAND_TIMEOUT_S = 20
_POOL_WAIT_S = 10
_APPLICATION_NAME = "parakeet-target"
# Ends the transaction of an execution environment that was killed in it and holds its locks still.
_IDLE_TIMEOUT = "idle_in_transaction_session_timeout"
_IDLE_IN_TRANSACTION_MS = 300_000


class Database:
    """One process's way to its database."""

    def __init__(self, settings: Settings, secrets: SecretStore) -> None:
        self._settings = settings
        self._secrets = secrets
        self._engine: AsyncEngine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def session(self, *, of_one_moment: bool = False) -> AsyncIterator[AsyncSession]:
        """Open a session, yield it, commit; roll back on any exception.

        Of one moment, all its reads see the rows as of the first (ADR 9); for sessions that write nothing.

        Raises:
            DatabaseUnavailable: the database cannot be reached now.
            SecretsUnavailable: its credentials cannot be had now.
        """
        try:
            with unavailable_as_503():
                engine = await self._engine_of_this_loop()
                if of_one_moment and engine.dialect.name == "postgresql":
                    # Told with BEGIN, so that it costs no round trip, and a pooler need not know of it.
                    engine = engine.execution_options(isolation_level="REPEATABLE READ")
                async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
                    yield session
        except DatabaseUnavailable as error:
            if credentials_were_refused(error.__cause__):
                await self.dispose()
                self._secrets.forget()
            raise

    async def dispose(self) -> None:
        """Close every connection; the next session builds a new engine from fresh credentials."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    async def _engine_of_this_loop(self) -> AsyncEngine:
        loop = asyncio.get_running_loop()
        if self._engine is not None and self._loop is not loop:
            # Connections belong to the loop that opened them: they cannot even be closed from another.
            await self._engine.dispose(close=False)
            self._engine = None
        if self._engine is None:
            credentials = await self._secrets.get_database_credentials()
            if self._engine is None:  # a concurrent request may have built it meanwhile
                self._engine = build_engine(credentials["NEON_DATABASE_URL"], self._settings)
                self._loop = loop
        return self._engine


def build_engine(address: str, settings: Settings) -> AsyncEngine:
    """Build the engine for an address that has an async driver. Opens no connection."""
    # Values stay out of exceptions, and so out of the log.
    if address.startswith("sqlite"):
        return create_async_engine(address, poolclass=NullPool, hide_parameters=True)
    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True, "pool_timeout": _POOL_WAIT_S}
    if settings.runs_in_lambda:
        # An execution environment serves one request at a time: more connections would only exhaust the server.
        options |= {"pool_size": 1, "max_overflow": 0}
    options["connect_args"] = _connection_arguments(
        settings, is_pooled=settings.database_pooler or is_pooler_address(address)
    )
    engine = create_async_engine(address, **options)
    comment_statements(engine.sync_engine)
    return engine


def _connection_arguments(settings: Settings, *, is_pooled: bool) -> dict[str, Any]:
    session = {"application_name": settings.aws_lambda_function_name or _APPLICATION_NAME}
    arguments = {"timeout": _CONNECT_TIMEOUT_S, "command_timeout": _COMMAND_TIMEOUT_S, "server_settings": session}
    if not is_pooled:  # a pooler refuses settings of a session that it does not know
        return arguments | {"server_settings": session | {_IDLE_TIMEOUT: str(_IDLE_IN_TRANSACTION_MS)}}
    # The next transaction may meet another backend: nothing may be kept there. A name of its own for each statement
    # would be, for as long as the backend lives, since closing it may reach another; the nameless is replaced.
    return arguments | {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: "",
    }
