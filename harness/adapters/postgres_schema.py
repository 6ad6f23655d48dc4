"""What a PostgreSQL schema declares, told by its catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_dsn import connect
from harness.domain.schema import facts
from harness.domain.sqlite_rows import BOOKKEEPING_TABLES, quote_name

_TABLES = """
c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
_COLUMNS = f"""
SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS declared_type,
       NOT a.attnotnull AS is_nullable, a.attgenerated <> '' AS is_generated, a.attidentity <> '' AS is_identity,
       pg_get_expr(d.adbin, d.adrelid) AS default_text,
       (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum
        WHERE enumtypid = t.oid) AS labels,
       CASE WHEN a.attcollation = 0 THEN NULL WHEN l.collprovider = 'd'
            THEN coalesce((to_jsonb(b) ->> 'datlocale'), b.datcollate) ELSE l.collname END AS collation_name,
       CASE WHEN a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'
            THEN pg_get_serial_sequence(format('%I.%I', current_schema(), c.relname), a.attname) END AS sequence
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_database b ON b.datname = current_database()
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE {_TABLES} ORDER BY c.relname COLLATE "C", a.attnum
"""  # noqa: S608 - constants
_CONSTRAINTS = f"""
SELECT c.relname AS table_name, f.contype::text AS kind, pg_get_expr(f.conbin, f.conrelid) AS check_text,
       f.convalidated AS is_validated, r.relname AS other_table,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns,
       (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(attnum, n)
        JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS other_columns,
       f.confupdtype::text AS on_update, f.confdeltype::text AS on_delete
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid LEFT JOIN pg_class r ON r.oid = f.confrelid
WHERE {_TABLES} AND f.contype IN ('p', 'c', 'f', 'x') ORDER BY c.relname COLLATE "C", f.conname COLLATE "C"
"""  # noqa: S608 - constants
_INDEXES = f"""
SELECT c.relname AS table_name, i.indisunique AS is_unique, i.indisvalid AS is_valid, m.amname AS method,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_are_equal,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       (SELECT array_agg(pg_get_indexdef(i.indexrelid, n::int, true) ORDER BY n)
        FROM generate_series(1, i.indnatts) n) AS terms,
       i.indnkeyatts AS key_terms, i.indoption::int2[]::int[] AS options,
       (SELECT array_agg(CASE WHEN o.opcdefault THEN NULL ELSE o.opcname END ORDER BY k.n)
        FROM unnest(i.indclass::oid[]) WITH ORDINALITY k(oid, n) JOIN pg_opclass o ON o.oid = k.oid) AS classes
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam
WHERE {_TABLES} AND NOT i.indisprimary ORDER BY c.relname COLLATE "C", x.relname COLLATE "C"
"""  # noqa: S608 - constants
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_BY_BYTES = frozenset({"c", "posix", "c.utf-8", "c.utf8", "ucs_basic", "pg_c_utf8", "pg_unicode_fast"})
"""Collations that order text by code points, which UTF-8's bytes do as well."""


async def read_postgres_schema_facts(dsn: str) -> facts.SchemaFacts:
    """All tables of the current schema but bookkeeping, as of one moment.

    Raises:
        ConfigurationError: the address is malformed.
        SystemUnavailable: the server does not answer, or refuses to show its catalogue.
    """
    async with postgres_errors(dsn):
        connection = await connect(dsn)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return facts.SchemaFacts(kind=facts.DatabaseKind.POSTGRESQL, tables=await _read_tables(connection))
        finally:
            await connection.close()


async def _read_tables(connection: Any) -> Mapping[str, facts.TableFacts]:
    columns = _by_table(await connection.fetch(_COLUMNS))
    constraints = _by_table(await connection.fetch(_CONSTRAINTS))
    indexes = _by_table(await connection.fetch(_INDEXES))
    return {
        name: facts.TableFacts(
            name=name,
            columns=tuple(map(_column, rows)),
            primary_key=next((tuple(each["columns"]) for each in constraints[name] if each["kind"] == "p"), ()),
            indexes=tuple(map(_index, indexes[name])),
            checks=tuple(map(_check, (each for each in constraints[name] if each["kind"] in {"c", "x"}))),
            foreign_keys=tuple(map(_foreign_key, (each for each in constraints[name] if each["kind"] == "f"))),
            sequences=tuple([await _sequence(connection, name, row) for row in rows if row["sequence"]]),
        )
        for name, rows in columns.items()
        if name not in BOOKKEEPING_TABLES
    }


def _by_table(rows: Iterable[Any]) -> defaultdict[str, list[Any]]:
    found = defaultdict[str, list[Any]](list)
    for row in rows:
        found[row["table_name"]].append(row)
    return found


def _column(row: Any) -> facts.ColumnFacts:
    default = row["default_text"]
    if row["is_identity"] or row["sequence"]:
        default = facts.GENERATED
    elif row["is_generated"]:
        default = f"{facts.COMPUTED}{default}"
    collation = row["collation_name"]
    return facts.ColumnFacts(
        name=row["name"],
        declared_type=f"enum {row['declared_type']} ({row['labels']})" if row["labels"] else row["declared_type"],
        is_nullable=row["is_nullable"],
        default=default,
        collation=facts.BINARY if collation is not None and collation.lower() in _BY_BYTES else collation,
    )


def _check(row: Any) -> str:
    if row["kind"] == "x":
        return f"EXCLUDE on {', '.join(row['columns'] or ())}"
    return str(row["check_text"]) + ("" if row["is_validated"] else " NOT VALID")


def _index(row: Any) -> facts.IndexFacts:
    keys = row["key_terms"]
    terms = [
        _term(*each) for each in zip(row["terms"][:keys], row["options"][:keys], row["classes"][:keys], strict=True)
    ]
    extras = [
        "" if row["method"] == "btree" else f"USING {row['method']}",
        f"INCLUDE ({', '.join(row['terms'][keys:])})" if row["terms"][keys:] else "",
        "NULLS NOT DISTINCT" if row["nulls_are_equal"] else "",
        "" if row["is_valid"] else "INVALID",
    ]
    return facts.IndexFacts(
        terms=tuple(terms),
        is_unique=row["is_unique"],
        predicate=row["predicate"],
        extras=" ".join(filter(None, extras)),
    )


def _term(term: str, option: int, operator_class: str | None) -> str:
    is_descending, has_nulls_first = bool(option & 1), bool(option & 2)
    parts = [
        term[1:-1].replace('""', '"') if term.startswith('"') and term.endswith('"') else term,
        operator_class or "",
        "DESC" if is_descending else "",
        "" if is_descending == has_nulls_first else "NULLS FIRST" if has_nulls_first else "NULLS LAST",
    ]
    return " ".join(filter(None, parts))


def _foreign_key(row: Any) -> facts.ForeignKeyFacts:
    return facts.ForeignKeyFacts(
        columns=tuple(row["columns"]),
        table=row["other_table"],
        references=tuple(row["other_columns"]),
        on_update=_ACTIONS[row["on_update"]],
        on_delete=_ACTIONS[row["on_delete"]],
    )


async def _sequence(connection: Any, table: str, row: Any) -> facts.SequenceFacts:
    stored = await connection.fetchrow(
        f"SELECT last_value, is_called, seqincrement FROM {row['sequence']}, pg_sequence "  # noqa: S608 - quoted by it
        "WHERE seqrelid = $1::text::regclass",
        row["sequence"],
    )
    column = quote_name(row["name"])
    greatest = await connection.fetchval(f"SELECT max({column})::bigint FROM {quote_name(table)}")  # noqa: S608
    following = stored["last_value"] + (stored["seqincrement"] if stored["is_called"] else 0)
    return facts.SequenceFacts(column=row["name"], next_value=following, greatest=greatest)
