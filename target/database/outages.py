"""Which driver errors mean that the database is away, rather than that the statement is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from target.errors import DatabaseUnavailable

# SQLSTATE classes: connection exception, invalid authorisation, no such database (as during a restore),
# rollback for another transaction's sake (nothing was stored), insufficient resources, operator intervention.
_AWAY = frozenset({"08", "28", "3D", "40", "53", "57"})
_REFUSED = "28"


@contextmanager
def unavailable_as_503() -> Iterator[None]:
    """Raise DatabaseUnavailable, caused by the driver's error, where the database is away."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError, OSError) as error:
        if not _is_away(error):
            raise
        raise DatabaseUnavailable(f"The database does not answer ({type(error).__name__}).") from error


def credentials_were_refused(error: BaseException | None) -> bool:
    """True if the server answered and did not accept the user or password."""
    return _sqlstate(error).startswith(_REFUSED)


def _is_away(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return True
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    if isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", "") is None:
        return True  # psycopg's own: no server has said anything
    return _sqlstate(error)[:2] in _AWAY or "database is locked" in str(error.orig)


def _sqlstate(error: BaseException | None) -> str:
    origin = getattr(error, "orig", None) or error
    return getattr(origin, "sqlstate", None) or ""
