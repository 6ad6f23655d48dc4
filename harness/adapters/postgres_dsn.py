"""PostgreSQL addresses: read leniently, shown without their password, connected to with clear errors."""

import re
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import asyncpg

from harness.domain.errors import ConfigurationError, SystemUnavailable

_SCHEMES = frozenset({"postgresql", "postgres"})
# Settings of other drivers that asyncpg would pass to the server, which would refuse them.
_IGNORED = frozenset({"channel_binding", "gssencmode", "connect_timeout", "pgbouncer", "prepared_statement_cache_size"})
_EXAMPLE = "Write it as postgresql://user:password@host:5432/database."
APPLICATION_NAME = "parakeet"
"""What our own connections are called, so that they are told from those of the system under test."""

_CONNECT_TIMEOUT_S = 10.0


def redact_dsn(dsn: str) -> str:
    """The address with its password replaced, whatever its shape."""
    shown = re.sub(r"(://[^/?#]*?):.*@", r"\1:***@", dsn)
    return re.sub(r"(?i)(password|sslpassword)=[^&\s]*", r"\1=***", shown)


def connectable_dsn(dsn: str) -> str:
    """The address as asyncpg takes it: driver suffix and other drivers' settings removed, userinfo quoted.

    Raises:
        ConfigurationError: it is not a PostgreSQL address.
    """
    try:
        parts = urlsplit(dsn)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise _wrong(dsn, str(error)) from error
    if parts.scheme.partition("+")[0] not in _SCHEMES or "//" not in dsn:
        raise _wrong(dsn, "it does not begin with postgresql://")
    kept = [("sslmode" if name == "ssl" else name, value) for name, value in query if name not in _IGNORED]
    if not parts.path.strip("/") and not {"dbname", "database"} & {name for name, _ in kept}:
        raise _wrong(dsn, "it names no database")
    _require_port(parts, dsn)
    return urlunsplit(("postgresql", _quote_userinfo(parts.netloc), parts.path, urlencode(kept), ""))


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection that also works through a transaction-mode pooler.

    Raises:
        ConfigurationError: the address is malformed.
        SystemUnavailable: the server does not answer or refuses the login.
    """
    address = connectable_dsn(dsn)
    try:
        return await asyncpg.connect(
            address,
            timeout=_CONNECT_TIMEOUT_S,
            statement_cache_size=0,
            server_settings={"application_name": APPLICATION_NAME},
        )
    except asyncpg.UndefinedObjectError as error:
        raise _wrong(dsn, str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
        hint = "Check user, password and database name."
        raise SystemUnavailable(f"PostgreSQL refuses: {error}", where=redact_dsn(dsn), hint=hint) from error
    except (asyncpg.InterfaceError, ValueError) as error:
        raise _wrong(dsn, str(error)) from error
    except (OSError, TimeoutError) as error:
        said = str(error) or f"no answer within {_CONNECT_TIMEOUT_S:g} s"
        hint = "Check host and port, and that the server is running."
        raise SystemUnavailable(f"PostgreSQL does not answer: {said}", where=redact_dsn(dsn), hint=hint) from error


def _quote_userinfo(netloc: str) -> str:
    # The last @ separates: passwords are often pasted unquoted.
    userinfo, separator, host = netloc.rpartition("@")
    if not separator:
        return netloc
    user, colon, password = userinfo.partition(":")
    return f"{_requote(user)}{colon}{_requote(password)}@{host}"


def _requote(text: str) -> str:
    return quote(unquote(text), safe="")


def _require_port(parts: SplitResult, dsn: str) -> None:
    for host in parts.netloc.rpartition("@")[2].split(","):
        port = re.search(r":([^:\]]*)$", host)
        if port and port[1] and not port[1].isdecimal():
            raise _wrong(dsn, "its port is not a number")


def _wrong(dsn: str, why: str) -> ConfigurationError:
    # What a parser complains of may quote the address.
    reason = re.sub(r"[\"'].*[\"']", "…", why) if "@" in why else why
    return ConfigurationError(f"the PostgreSQL address is malformed: {reason}", where=redact_dsn(dsn), hint=_EXAMPLE)
