"""The sync engine and one database session a request."""

from collections.abc import Iterator
from functools import lru_cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from legacy_adapter.app.settings import get_settings


@lru_cache
def get_engine() -> Engine:
    """The engine of this process; statements are echoed while DEBUG is on."""
    settings = get_settings()
    is_sqlite = settings.DATABASE_URL.startswith("sqlite")
    return create_engine(
        settings.DATABASE_URL,
        connect_args={"check_same_thread": False} if is_sqlite else {},
        pool_pre_ping=True,
        echo=settings.DEBUG,
    )


@lru_cache
def _session_factory() -> sessionmaker[Session]:
    return sessionmaker(autocommit=False, autoflush=False, bind=get_engine())


def get_db() -> Iterator[Session]:
    """A session that is closed after the answer; services commit."""
    session = _session_factory()()
    try:
        yield session
    finally:
        session.close()
