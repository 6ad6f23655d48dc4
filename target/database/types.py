"""Column types and server-side clock shared by every table."""

from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
"""64-bit everywhere: SQLite fills a rowid only for a column declared exactly INTEGER."""


def byte_ordered(length: int) -> TypeEngine[str]:
    """Bounded text that sorts by bytes on both databases, as SQLite does."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


BYTE_ORDERED_TEXT: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")


class utc_second(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function that it renders
    """The server's clock: UTC, naive, whole seconds, which is what SQLite's CURRENT_TIMESTAMP gives."""

    type = DateTime()
    inherit_cache = True
    name = "utc_second"


@compiles(utc_second)
def _compile_default(_element: utc_second, _compiler: SQLCompiler, **_options: object) -> str:
    return "CURRENT_TIMESTAMP"


@compiles(utc_second, "postgresql")
def _compile_postgresql(_element: utc_second, _compiler: SQLCompiler, **_options: object) -> str:
    return "date_trunc('second', timezone('utc', now()))"
