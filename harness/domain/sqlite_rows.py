"""What a SQLite database holds, built from the answers to queries that the caller runs."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.rows import Column, DatabaseState, TableRows, TableSchema

MARKER_TABLE = "parakeet_disposable"
"""The table whose presence says that a database may be overwritten."""

BOOKKEEPING_TABLES = frozenset({"alembic_version", MARKER_TABLE})

_TELLS_SHADOWS = (3, 37)
_OF_A_VIRTUAL_TABLE = 1
_GENERATED = frozenset({2, 3})
"""What `table_xinfo` says of columns that are hidden: those that are computed, when read or when written."""

Query = Callable[[str], Iterable[tuple[Any, ...]]]


def read_sqlite_state(query: Query) -> DatabaseState:
    """All tables but bookkeeping, each row in key order, each cell as SQLite stores it.

    `query` must run inside one read transaction for the tables to belong together.
    """
    return {name: _read_table(query, name) for name in list_sqlite_tables(query)}


def list_sqlite_tables(query: Query) -> tuple[str, ...]:
    """Names of tables, without SQLite's own, those that a virtual table keeps its content in, and bookkeeping."""
    found = list(
        query("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    )
    hidden = set(BOOKKEEPING_TABLES)
    if sqlite3.sqlite_version_info >= _TELLS_SHADOWS and any("VIRTUAL" in (sql or "").upper() for _, sql in found):
        hidden |= {name for (name,) in query("SELECT name FROM pragma_table_list WHERE type = 'shadow'")}
    return tuple(sorted(name for name, _ in found if name not in hidden))


def quote_name(name: str) -> str:
    """An SQL identifier; both databases quote alike."""
    return '"' + name.replace('"', '""') + '"'


def decode_text(raw: bytes) -> str:
    """Text as stored: bytes that are not UTF-8 survive as lone surrogates, so that nothing is lost or equal by luck."""
    return raw.decode("utf-8", "surrogateescape")


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into ours, naming the file.

    Raises:
        ConfigurationError: the file cannot be opened, or is not a SQLite database, or is damaged.
        SystemUnavailable: another process keeps it locked.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error):
            hint = "Check the path and its permissions."
            raise ConfigurationError("the SQLite file cannot be opened", where=str(path), hint=hint) from error
        if "no such module" in str(error):
            hint = "Give a copy of the file without that virtual table, or a Python whose SQLite has the module."
            raise ConfigurationError(f"a table cannot be read: {error}", where=str(path), hint=hint) from error
        hint = "Another process keeps it locked, or its disk is full: end that process and try again."
        raise SystemUnavailable(f"SQLite says: {error}", where=str(path), hint=hint) from error
    except sqlite3.DatabaseError as error:
        hint = "Give the application's SQLite database."
        raise ConfigurationError(f"this is not a usable SQLite file: {error}", where=str(path), hint=hint) from error


def _read_table(query: Query, name: str) -> TableRows:
    schema = read_sqlite_schema(query, name)
    columns = ", ".join(quote_name(column) for column in schema.column_names)
    order = ", ".join(quote_name(column) for column in schema.key or schema.column_names)
    rows = query(f"SELECT {columns} FROM {quote_name(name)} ORDER BY {order}")  # noqa: S608 - quoted names
    return TableRows(schema=schema, rows=tuple(rows))


def read_sqlite_schema(query: Query, name: str) -> TableSchema:
    """A table as it is declared."""
    described = [row for row in query(f"PRAGMA table_xinfo({quote_name(name)})") if row[6] != _OF_A_VIRTUAL_TABLE]
    keys = sorted((position, column) for _, column, _, _, _, position, _ in described if position)
    columns = tuple(
        Column(
            name=column,
            declared_type=kind.removesuffix(" GENERATED ALWAYS") if hidden in _GENERATED else kind,
            is_nullable=not (not_null or position),
            default=default,
            is_generated=hidden in _GENERATED,
        )
        for _, column, kind, not_null, default, position, hidden in described
    )
    return TableSchema(name=name, columns=columns, key=tuple(column for _, column in keys))
