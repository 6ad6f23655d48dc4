"""Which PostgreSQL types hold exactly what a column declared in SQLite means: docs/schema-parity.md has the table."""

import re
from collections.abc import Callable, Mapping, Sequence

_DECLARED = re.compile(r"\s*([^(]*?)\s*(?:\(([^)]*)\))?\s*([^()]*)")
_FULL_TIMES = ("", "(6)")

_Rule = Callable[[str], Sequence[str]]
"""From what stands in the parentheses, '' where there are none."""


def _lengthed(kind: str) -> _Rule:
    return lambda size: (f"{kind}({size})",) if size else (kind, "text")


def _exactly(*types: str) -> _Rule:
    return lambda _: types


def _decimal(size: str) -> Sequence[str]:
    if not size:
        return ("numeric",)
    return (f"numeric({size if ',' in size else size + ',0'})",)


def _times(suffix: str) -> _Rule:
    return _exactly(*(f"timestamp{digits} {suffix}" for digits in _FULL_TIMES))


_WHOLE = _exactly("integer", "bigint")
_RULES: Mapping[str, _Rule] = {
    "BOOLEAN": _exactly("boolean"),
    "BOOL": _exactly("boolean"),
    "INTEGER": _WHOLE,
    "INT": _WHOLE,
    "MEDIUMINT": _WHOLE,
    "INT4": _WHOLE,
    "BIGINT": _exactly("bigint"),
    "INT8": _exactly("bigint"),
    "UNSIGNED BIG INT": _exactly("bigint", "numeric", "numeric(20,0)"),
    "SMALLINT": _exactly("smallint", "integer", "bigint"),
    "TINYINT": _exactly("smallint", "integer", "bigint"),
    "INT2": _exactly("smallint", "integer", "bigint"),
    "REAL": _exactly("double precision"),
    "FLOAT": _exactly("double precision"),
    "DOUBLE": _exactly("double precision"),
    "DOUBLE PRECISION": _exactly("double precision"),
    "NUMERIC": _decimal,
    "DECIMAL": _decimal,
    "DATETIME": _times("without time zone"),
    "TIMESTAMP": _times("without time zone"),
    "TIMESTAMP WITHOUT TIME ZONE": _times("without time zone"),
    "TIMESTAMPTZ": _times("with time zone"),
    "TIMESTAMP WITH TIME ZONE": _times("with time zone"),
    "DATE": _exactly("date"),
    "TIME": _exactly("time without time zone", "time(6) without time zone"),
    "VARCHAR": _lengthed("character varying"),
    "CHARACTER VARYING": _lengthed("character varying"),
    "NVARCHAR": _lengthed("character varying"),
    "VARYING CHARACTER": _lengthed("character varying"),
    "CHAR": _lengthed("character"),
    "CHARACTER": _lengthed("character"),
    "NCHAR": _lengthed("character"),
    "TEXT": _exactly("text", "character varying"),
    "CLOB": _exactly("text", "character varying"),
    "BLOB": _exactly("bytea"),
    "BYTEA": _exactly("bytea"),
    "JSON": _exactly("json", "jsonb"),
    "JSONB": _exactly("jsonb"),
    "UUID": _exactly("uuid"),
}
_AFFINITIES: Sequence[tuple[Sequence[str], _Rule]] = (
    (("INT",), _WHOLE),
    (("CHAR", "CLOB", "TEXT"), _exactly("text", "character varying")),
    (("BLOB",), _exactly("bytea")),
    (("REAL", "FLOA", "DOUB"), _exactly("double precision")),
)
"""SQLite's own rule (datatype3.html, 3.1) in its order; what fits none of them is NUMERIC."""


def holding_types(declared: str) -> tuple[str, ...]:
    """PostgreSQL's types, as `format_type` spells them, that hold what a SQLite column of that type means.

    A spelling that is not known goes by SQLite's type affinity. A column without a type holds values of every type,
    as none of PostgreSQL's does: the answer is empty.
    """
    found = _DECLARED.fullmatch(" ".join(declared.upper().split()))
    if found is None or not declared.strip():
        return ()
    name, size, suffix = found.groups()
    rule = _RULES.get(f"{name} {suffix}".strip())
    if rule is not None:
        return tuple(rule((size or "").replace(" ", "")))
    for parts, by_affinity in _AFFINITIES:
        if any(part in declared.upper() for part in parts):
            return tuple(by_affinity(""))
    return ("numeric",)
