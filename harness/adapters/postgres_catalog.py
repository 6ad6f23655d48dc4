"""What a PostgreSQL database holds, told by its catalogue: tables, columns, keys, sequences, enums."""

import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import groupby
from typing import Any

from harness.domain.cell_values import Family, family_of
from harness.domain.rows import Column, TableSchema
from harness.domain.sqlite_rows import BOOKKEEPING_TABLES, quote_name

_COLUMNS = """
SELECT c.relname AS table_name, a.attname AS column_name,
       pg_catalog.format_type(b.type, b.typmod) AS declared_type,
       NOT a.attnotnull AS is_nullable, a.attgenerated <> '' AS is_generated,
       CASE WHEN a.attidentity <> '' THEN 'identity' ELSE pg_get_expr(d.adbin, d.adrelid) END AS default_text,
       array_position(k.indkey::int2[], a.attnum) AS key_position,
       t.typtype = 'e' AS is_enum,
       CASE WHEN a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'
            THEN pg_get_serial_sequence(format('%I.%I', current_schema(), c.relname), a.attname) END AS sequence
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (
    WITH RECURSIVE based(type, typmod) AS (
        SELECT a.atttypid, a.atttypmod
        UNION ALL SELECT d.typbasetype, d.typtypmod FROM based JOIN pg_type d ON d.oid = based.type AND d.typtype = 'd'
    )
    SELECT based.type, based.typmod FROM based JOIN pg_type d ON d.oid = based.type AND d.typtype <> 'd'
) b -- a domain's values are those of the type below it
JOIN pg_type t ON t.oid = b.type
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_index k ON k.indrelid = c.oid AND k.indisprimary
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname COLLATE "C", a.attnum
"""

_SEQUENCES = """
SELECT format('%I.%I', current_schema(), relname) FROM pg_class
WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace ORDER BY 1
"""

_FOREIGN_KEYS = """
SELECT c.relname AS child, p.relname AS parent FROM pg_constraint f
JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
WHERE f.contype = 'f' AND f.connamespace = current_schema()::regnamespace AND c.oid <> p.oid
"""

_ENUMS = """
SELECT pg_catalog.format_type(enumtypid, NULL) AS name, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels
FROM pg_enum GROUP BY enumtypid
"""

_AS_THEY_ARE = (
    "boolean", "smallint", "integer", "bigint", "real", "double precision", "numeric", "text", "character", "bytea",
    "timestamp", "date", "json",
)  # fmt: skip
_TEXTUAL = ("text", "character")
_TIME_TEXTS = {
    Family.MOMENT: ", 'YYYY-MM-DD HH24:MI:SS.US')",
    Family.INSTANT: " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00:00'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Tables by name with what reading and writing them needs; bookkeeping tables are left out."""

    schemas: dict[str, TableSchema]
    selects: dict[str, str]
    """Reads a table in key order; types that have no Cell come as their text."""
    streamed: dict[str, dict[str, str]]
    """By table and column, the expression that gives a cell in the form that is read and compared fastest."""
    casts: dict[str, dict[str, str]]
    """By table and column, its type, for values that are given as text."""
    writable: dict[str, tuple[str, ...]]
    """Columns that may be given a value: all but generated ones."""
    owned_sequences: dict[tuple[str, str], str]
    """The sequence that feeds (table, column)."""
    sequences: tuple[str, ...]
    enums: dict[str, tuple[str, ...]]
    order: tuple[str, ...]
    """Tables to write in, referenced ones before those that refer to them."""
    has_foreign_keys: bool


async def read_catalog(connection: Any) -> Catalog:
    """The catalogue of the current schema."""
    found = await connection.fetch(_COLUMNS)
    tables = {name: list(rows) for name, rows in groupby(found, key=lambda row: row["table_name"])}
    compared = {name: rows for name, rows in tables.items() if name not in BOOKKEEPING_TABLES}
    schemas = {name: _schema(name, rows) for name, rows in compared.items()}
    references = [(child, parent) for child, parent in await connection.fetch(_FOREIGN_KEYS)]
    return Catalog(
        schemas=schemas,
        selects={name: _select(schemas[name], rows) for name, rows in compared.items()},
        streamed={name: {row["column_name"]: _streamed(row) for row in rows} for name, rows in compared.items()},
        casts={name: {row["column_name"]: row["declared_type"] for row in rows} for name, rows in compared.items()},
        writable={
            name: tuple(row["column_name"] for row in rows if not row["is_generated"])
            for name, rows in compared.items()
        },
        owned_sequences={
            (row["table_name"], row["column_name"]): row["sequence"]
            for rows in compared.values()
            for row in rows
            if row["sequence"]
        },
        sequences=tuple(name for (name,) in await connection.fetch(_SEQUENCES)),
        enums={row["name"]: tuple(row["labels"]) for row in await connection.fetch(_ENUMS)},
        order=_order_tables(schemas, references),
        has_foreign_keys=bool(references),
    )


def _schema(name: str, rows: list[Any]) -> TableSchema:
    keys = sorted((row["key_position"], row["column_name"]) for row in rows if row["key_position"] is not None)
    columns = tuple(
        Column(
            name=row["column_name"],
            declared_type=row["declared_type"],
            is_nullable=row["is_nullable"],
            default=row["default_text"],
            is_generated=row["is_generated"],
        )
        for row in rows
    )
    return TableSchema(name=name, columns=columns, key=tuple(column for _, column in keys))


def _order_tables(names: Iterable[str], references: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    parents: dict[str, set[str]] = {name: set() for name in names}
    for child, parent in references:
        if child in parents and parent in parents:
            parents[child].add(parent)
    with suppress(CycleError):  # tables that refer to each other need deferrable constraints in any order
        return tuple(TopologicalSorter(parents).static_order())
    return tuple(parents)


def _select(schema: TableSchema, rows: list[Any]) -> str:
    columns = ", ".join(quote_name(row["column_name"]) + ("" if _is_cell(row) else "::text") for row in rows)
    source = quote_name(schema.name)
    order = ", ".join(_order(schema, name) for name in schema.key) or f'{source}::text COLLATE "C"'
    return f"SELECT {columns} FROM {source} ORDER BY {order}"  # noqa: S608 - quoted names


def _streamed(row: Any) -> str:
    column, declared = quote_name(row["column_name"]), row["declared_type"]
    if not _is_cell(row):
        return f"{column}::text"
    family = family_of(declared)
    if family in _TIME_TEXTS:
        # As SQLite's applications write times; years that have no four digits come as PostgreSQL writes them.
        return (
            f"CASE WHEN {column} BETWEEN '0001-01-01' AND '9999-12-31' THEN "
            f"to_char({column}{_TIME_TEXTS[family]} ELSE {column}::text END"
        )
    if family is Family.DATE:
        return f"{column}::text"
    size = re.fullmatch(r"numeric\((\d+),\d+\)", declared)
    # Up to fifteen digits a double gives back the decimal that it was made of.
    return f"{column}::float8" if size is not None and int(size[1]) <= sys.float_info.dig else column


def _is_cell(row: Any) -> bool:
    declared: str = row["declared_type"]
    return row["is_enum"] or (declared.startswith(_AS_THEY_ARE) and not declared.endswith("[]"))


def _order(schema: TableSchema, name: str) -> str:
    declared = next(column.declared_type for column in schema.columns if column.name == name)
    return ordered_as_bytes(name, declared)


def ordered_as_bytes(name: str, declared_type: str) -> str:
    """A column to sort by: SQLite orders text by bytes, so must this, whatever the column's own order."""
    if declared_type.startswith(_TEXTUAL):
        return f'{quote_name(name)} COLLATE "C"'
    return quote_name(name) + ("" if has_one_order(declared_type) else '::text COLLATE "C"')


def has_one_order(declared_type: str) -> bool:
    """Whether both databases order the values alike; an enum's order, say, is that of its labels' declaration."""
    return declared_type == "bytea" or family_of(declared_type) not in {Family.OTHER, Family.INET}
