"""SQL texts of two databases: those that mean the same have one form, those that do not have two."""

import pytest

from harness.domain.cell_values import Family
from harness.domain.schema.expression import parse_expression
from harness.domain.schema.forms import Naming, default_form
from harness.domain.schema.sqlite_ddl import read_create_index, read_create_table
from harness.domain.schema.types import holding_types


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (
            "direction IN ('SELL', 'BUY')",
            "((direction)::text = ANY ((ARRAY['BUY'::character varying, 'SELL'::character varying])::text[]))",
        ),
        ("a NOT IN (1, 2)", "(a <> ALL (ARRAY[1, 2]))"),
        ("a BETWEEN 1 AND 1e3", "((a >= (1)::double precision) AND (a <= (1000)::double precision))"),
        ("a > -2 AND b IS NOT NULL AND c = ''", "((c = ''::text) AND (a > '-2'::integer) AND (b IS NOT NULL))"),
        ("name NOT LIKE 'a(%' OR x ISNULL", "((name !~~ 'a(%'::text) OR (x IS NULL))"),
        ("NOT (a = 1 OR b != 2)", "(NOT ((a = 1) OR (b <> 2)))"),
        ("CAST(a AS VARCHAR(10)) || `x`", '((a)::text || "x"::text)'),
        ("A-1-1 == 0", "(((a - 1) - 1) = 0)"),
        ("timezone('utc', now())", "(now() AT TIME ZONE 'utc'::text)"),
    ],
)
def test_expressions_that_mean_the_same_have_one_form(written: str, stored: str) -> None:
    assert parse_expression(written) == parse_expression(stored)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a IN (1, 2)", "a IN (1, 3)"),
        ("a AND b OR c", "a AND (b OR c)"),
        ("a - (1 - 1)", "a - 1 - 1"),
        ("a < b", "b < a"),
        ("NOT a = 1", "a = 1"),
        ("a = 'x'", "a = 'X'"),
        ("a = ' x'", "a = 'x'"),
        ("a = 1", "a = '1'"),
        ("f(a, b)", "f(b, a)"),
        ("a = '('", "a = ')'"),
    ],
)
def test_expressions_that_mean_something_else_have_another_form(one: str, other: str) -> None:
    assert parse_expression(one) != parse_expression(other)


@pytest.mark.parametrize("text", ["a = (", "CASE WHEN a THEN 1 END", "?", "a IN 1", ")"])
def test_what_cannot_be_read_keeps_its_text(text: str) -> None:
    assert parse_expression(f" {text}  ") == text


@pytest.mark.parametrize(
    ("written", "stored", "family"),
    [
        ("generated as price * pieces", "generated as (price * (pieces)::double precision)", Family.FLOAT),
        ("CURRENT_TIMESTAMP", "date_trunc('second'::text, timezone('utc'::text, now()))", Family.MOMENT),
        (
            "(datetime('now'))",
            "date_trunc('second'::text, (CURRENT_TIMESTAMP AT TIME ZONE 'utc'::text))",
            Family.MOMENT,
        ),
        ("1", "true", Family.BOOLEAN),
        ("'0'", "0.0", Family.FLOAT),
        ("NULL", "NULL::character varying", Family.OTHER),
        ("('x')", "'x'::text", Family.OTHER),
    ],
)
def test_defaults_that_give_the_same_are_equal(written: str, stored: str, family: Family) -> None:
    ours = default_form(written, family, Naming(), is_sqlite=True)
    assert ours == default_form(stored, family, Naming(), is_sqlite=False)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("CURRENT_TIMESTAMP", "now()"),
        ("CURRENT_TIMESTAMP", "timezone('utc'::text, now())"),
        ("CURRENT_TIMESTAMP", "date_trunc('minute'::text, timezone('utc'::text, now()))"),
        ("'0'", "0"),
        ("NULL", "''::text"),
        ("generated as a + b", "generated as (a - b)"),
        ("generated as a", "a"),
    ],
)
def test_defaults_that_give_something_else_are_not(written: str, stored: str) -> None:
    ours = default_form(written, Family.MOMENT, Naming(), is_sqlite=True)
    assert ours != default_form(stored, Family.MOMENT, Naming(), is_sqlite=False)


@pytest.mark.parametrize(
    ("declared", "types"),
    [
        ("VARCHAR(50)", ("character varying(50)",)),
        ("varchar", ("character varying", "text")),
        ("NUMERIC(12, 4)", ("numeric(12,4)",)),
        ("DECIMAL(5)", ("numeric(5,0)",)),
        ("DOUBLE  PRECISION", ("double precision",)),
        ("TIMESTAMP(6) WITH TIME ZONE", ("timestamp with time zone", "timestamp(6) with time zone")),
        ("STRING", ("numeric",)),
        ("FLOATING POINT", ("integer", "bigint")),
        ("LONGTEXT", ("text", "character varying")),
        ("TINYBLOB", ("bytea",)),
        ("", ()),
    ],
    ids=str,
)
def test_a_declared_type_is_held_by_these(declared: str, types: tuple[str, ...]) -> None:
    assert holding_types(declared) == types


def test_a_table_is_read_from_its_statement() -> None:
    declared = read_create_table(
        """CREATE TABLE "a (b" (id INTEGER PRIMARY KEY, -- a, comment (
        [the name] VARCHAR(10) COLLATE NoCase CHECK (length([the name]) > 0 /* , */ AND 1) DEFAULT ('x  ,('),
        total REAL GENERATED ALWAYS AS (id * 2) STORED, CONSTRAINT c CHECK(id>0), UNIQUE ([the name], id)) STRICT"""
    )
    assert declared.checks == ('length("the name") > 0 AND 1', "id>0")
    assert declared.collations == {"the name": "nocase"}
    assert declared.generated == {"total": "id * 2"}


def test_an_index_is_read_from_its_statement() -> None:
    sql = "CREATE INDEX i ON t (lower(a) COLLATE NOCASE DESC, b , [c d]) WHERE a > (1) AND b = 'x  where'"
    assert read_create_index(sql) == (("lower(a)", "b", '"c d"'), "a > (1) AND b = 'x  where'")
