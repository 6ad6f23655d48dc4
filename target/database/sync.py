"""Synchronous sessions on the same models, for scripts of the transition; no function imports this.

Needs the extra `sync` (psycopg) for PostgreSQL; SQLite's driver is Python's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from target.database.comments import comment_statements
from target.database.outages import unavailable_as_503
from target.database.urls import is_pooler_address, sync_database_url
from target.settings import Settings

_CONNECT_TIMEOUT_S = 5
_STATEMENT_TIMEOUT_MS = 20_000


class SyncDatabase:
    """One process's synchronous way to its database; `address` as operators write it, any driver named or none."""

    def __init__(self, address: str, settings: Settings) -> None:
        """Opens no connection.

        Raises:
            ValueError: the address is empty, malformed or names another database.
        """
        self.engine = build_sync_engine(sync_database_url(address), settings)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session, yield it, commit; roll back on any exception.

        Raises:
            DatabaseUnavailable: the database cannot be reached now.
        """
        with unavailable_as_503(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def build_sync_engine(address: str, settings: Settings) -> Engine:
    """Build the engine for an address that has a synchronous driver. Opens no connection."""
    # Values stay out of exceptions, and so out of the log.
    if address.startswith("sqlite"):
        return create_engine(address, poolclass=NullPool, hide_parameters=True)
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_TIMEOUT_S}
    if settings.database_pooler or is_pooler_address(address):
        # The next transaction may meet another backend: nothing may be prepared.
        arguments["prepare_threshold"] = None
    engine = create_engine(address, pool_pre_ping=True, hide_parameters=True, connect_args=arguments)
    event.listen(engine, "begin", _limit_statements)
    comment_statements(engine)
    return engine


def _limit_statements(connection: Connection) -> None:
    # For this transaction alone: behind a pooler, what a session sets would stay with whoever comes next.
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT_MS}")
