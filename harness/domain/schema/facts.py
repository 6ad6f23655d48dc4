"""What a database declares, whichever it is: tables, columns, keys, constraints, indexes, sequences."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

BINARY = "binary"
"""The collation that orders text by its bytes, whatever a database calls it."""
GENERATED = "a generated id"
"""The default of a column that the database numbers: SQLite's rowid, an identity, a serial."""
COMPUTED = "generated as "
"""Begins the default of a column that is computed from others; the expression follows."""


class DatabaseKind(StrEnum):
    """Who declared it, and so how its texts are read."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """A column; type and default are the database's own spelling, `default` is None where it is NULL."""

    name: str
    declared_type: str
    is_nullable: bool
    default: str | None = None
    collation: str | None = None
    """`BINARY` or the database's name of another one; None where the type has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFacts:
    """What an index is over; its name says nothing. `terms` are columns, or expressions in the database's spelling."""

    terms: tuple[str, ...]
    is_unique: bool = False
    predicate: str | None = None
    """The condition of a partial index."""
    extras: str = ""
    """What else it says, such as its method or its included columns; '' for a plain one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKeyFacts:
    """A reference; the actions are in SQL's words."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceFacts:
    """What feeds a column: the value that comes next, and the greatest that is stored, None where no row is."""

    column: str
    next_value: int | None
    """None where the database takes the one after the greatest."""
    greatest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """A table as declared; unique constraints are unique indexes, the primary key's index is none of them."""

    name: str
    columns: tuple[ColumnFacts, ...]
    primary_key: tuple[str, ...] = ()
    indexes: tuple[IndexFacts, ...] = ()
    checks: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKeyFacts, ...] = ()
    sequences: tuple[SequenceFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFacts:
    """All tables but bookkeeping, by name."""

    kind: DatabaseKind
    tables: Mapping[str, TableFacts]
