"""Tables, rows and cells as both databases yield them, ready to compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Cell = None | bool | int | float | Decimal | str | bytes | datetime | date
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as declared: `declared_type` and `default` are the database's own spelling."""

    name: str
    declared_type: str
    is_nullable: bool
    default: str | None = None
    is_generated: bool = False
    """Whether the database computes it of the row's other columns: it can be read, and not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table's columns in declared order and the names of its primary key."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """A table's schema and all its rows in key order."""

    schema: TableSchema
    rows: tuple[Row, ...]


DatabaseState = Mapping[str, TableRows]
"""Every compared table by name; bookkeeping tables (`alembic_version`, `sqlite_sequence`) are left out."""
