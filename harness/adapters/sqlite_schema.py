"""What a SQLite file declares: read from its pragmas, and from the text of its statements where those say nothing."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

from harness.adapters.sqlite_reader import require_sqlite_file
from harness.domain.schema import facts
from harness.domain.schema.sqlite_ddl import DeclaredTable, read_create_index, read_create_table
from harness.domain.sqlite_rows import list_sqlite_tables, quote_name, sqlite_errors

_BUSY_S = 5.0
_GENERATED = frozenset({2, 3})


def read_sqlite_schema_facts(path: Path) -> facts.SchemaFacts:
    """All tables but bookkeeping, as of one moment; the file is read only, and may be in use.

    Raises:
        ConfigurationError: the file is missing, is not a SQLite database, or is damaged.
        SystemUnavailable: another process keeps it locked.
    """
    require_sqlite_file(path)
    address = f"{path.absolute().as_uri()}?mode=ro"
    with (
        sqlite_errors(path),
        closing(sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)) as database,
    ):
        database.execute("BEGIN")
        tables = {name: _read_table(database, name) for name in list_sqlite_tables(database.execute)}
    return facts.SchemaFacts(kind=facts.DatabaseKind.SQLITE, tables=tables)


def _read_table(database: sqlite3.Connection, name: str) -> facts.TableFacts:
    (sql,) = database.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone()
    declared = read_create_table(sql)
    described = database.execute(f"PRAGMA table_xinfo({quote_name(name)})").fetchall()
    keys = tuple(column for _, column in sorted((row[5], row[1]) for row in described if row[5]))
    numbered = _numbered(database, name, described)
    return facts.TableFacts(
        name=name,
        columns=tuple(_column(row, declared, is_numbered=row[1] == numbered) for row in described if row[6] != 1),
        primary_key=keys,
        indexes=tuple(_indexes(database, name)),
        checks=declared.checks,
        foreign_keys=tuple(_foreign_keys(database, name)),
        sequences=() if numbered is None else (_sequence(database, name, numbered),),
    )


def _column(row: tuple[Any, ...], declared: DeclaredTable, *, is_numbered: bool) -> facts.ColumnFacts:
    _, name, kind, not_null, default, position, hidden = row
    if is_numbered:
        default = facts.GENERATED
    elif hidden in _GENERATED:
        default = f"{facts.COMPUTED}{declared.generated.get(name.lower(), '?')}"
    collation = declared.collations.get(name.lower(), facts.BINARY)
    return facts.ColumnFacts(
        name=name,
        declared_type=kind.removesuffix(" GENERATED ALWAYS") if hidden in _GENERATED else kind,
        is_nullable=not (not_null or position),
        default=default,
        collation=facts.BINARY if collation == "binary" else collation,
    )


def _numbered(database: sqlite3.Connection, table: str, described: list[Any]) -> str | None:
    """The column that is another name of the rowid: an INTEGER PRIMARY KEY for which there is no index."""
    keys = [row for row in described if row[5]]
    if len(keys) != 1 or keys[0][2].upper() != "INTEGER":
        return None
    indexes = database.execute(f"PRAGMA index_list({quote_name(table)})")
    return None if any(origin == "pk" for _, _, _, origin, _ in indexes) else str(keys[0][1])


def _sequence(database: sqlite3.Connection, table: str, column: str) -> facts.SequenceFacts:
    (greatest,) = database.execute(f"SELECT max({quote_name(column)}) FROM {quote_name(table)}").fetchone()  # noqa: S608
    return facts.SequenceFacts(column=column, next_value=None, greatest=greatest)


def _indexes(database: sqlite3.Connection, table: str) -> list[facts.IndexFacts]:
    found = []
    for _, name, is_unique, origin, is_partial in database.execute(f"PRAGMA index_list({quote_name(table)})"):
        if origin != "pk":
            found.append(_index(database, name, is_unique=bool(is_unique), is_partial=bool(is_partial)))
    return found[::-1]  # SQLite lists the youngest first


def _index(database: sqlite3.Connection, name: str, *, is_unique: bool, is_partial: bool) -> facts.IndexFacts:
    (sql,) = database.execute("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", (name,)).fetchone()
    written, predicate = read_create_index(sql) if sql else ((), None)
    terms = []
    for number, cid, column, is_descending, collation, is_key in database.execute(
        f"PRAGMA index_xinfo({quote_name(name)})"
    ):
        if not is_key:
            continue
        term = column if cid >= 0 else written[number]
        ordered = term if collation.upper() == "BINARY" else f"{term} COLLATE {collation.upper()}"
        terms.append(f"{ordered} DESC" if is_descending else ordered)
    return facts.IndexFacts(terms=tuple(terms), is_unique=is_unique, predicate=predicate if is_partial else None)


def _foreign_keys(database: sqlite3.Connection, table: str) -> list[facts.ForeignKeyFacts]:
    keys = defaultdict[int, list[Any]](list)
    for row in database.execute(f"PRAGMA foreign_key_list({quote_name(table)})"):
        keys[row[0]].append(row)
    return [_foreign_key(database, sorted(rows, key=lambda row: int(row[1]))) for _, rows in sorted(keys.items())]


def _foreign_key(database: sqlite3.Connection, rows: list[Any]) -> facts.ForeignKeyFacts:
    _, _, table, _, _, on_update, on_delete, _ = rows[0]
    named = tuple(row[4] for row in rows)
    if None in named:  # the other table's primary key is meant
        described = database.execute(f"PRAGMA table_info({quote_name(table)})")
        named = tuple(column for _, column in sorted((row[5], row[1]) for row in described if row[5]))
    return facts.ForeignKeyFacts(
        columns=tuple(row[3] for row in rows),
        table=table,
        references=named,
        on_update=on_update,
        on_delete=on_delete,
    )
