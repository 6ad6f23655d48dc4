"""PostgreSQL against PostgreSQL: a defect in every type that only such a pair holds, found at its place."""

from collections.abc import Callable

import pytest

from harness.engine.rows import RowParityOptions
from harness.settings import RowsSettings
from harness.wiring.parity import RowParityRequest, compare_rows
from tests.builders.postgres import connected
from tests.builders.storable_values import POSTGRES_ONLY, TEXTUAL, fill_textual

_TABLES = """
CREATE TABLE keyed (id integer PRIMARY KEY, name text COLLATE "C", note text, at timestamptz);
INSERT INTO keyed SELECT n, 'name-' || n, 'note ' || n, '2026-02-04 12:30:15.25+00'::timestamptz + n * interval '1 day'
FROM generate_series(1, 90) n;
CREATE TABLE named (k text PRIMARY KEY, n integer);
INSERT INTO named SELECT k, 1 FROM unnest('{a,A,b,B,ä,Ä,z,Z,"a b",a_b}'::text[]) k;
CREATE TABLE lines (text text);
INSERT INTO lines VALUES ('same'), ('same'), ('other'), (NULL);
CREATE TYPE mark AS ENUM ('low', 'high');
CREATE TABLE marks (id integer PRIMARY KEY, mark mark, marks mark[]);
INSERT INTO marks VALUES (1, 'low', '{low,high}'), (2, NULL, NULL);
"""
# The rows of TEXTUAL and POSTGRES_ONLY are numbered from 0, and hold the values in their order.
_DEFECTS = {
    "the other end of time": ("UPDATE texts SET era = '-infinity' WHERE id = 2", "/texts/2/era"),
    "after Christ": ("UPDATE texts SET era = '0044-03-15 12:00:00' WHERE id = 4", "/texts/4/era"),
    "a day apart": ("UPDATE texts SET date = date + 1 WHERE id = 0", "/texts/0/date"),
    "an offset lost": ("UPDATE texts SET zoned = zoned + interval '10 hours' WHERE id = 0", "/texts/0/zoned"),
    "midnight for midnight": ("UPDATE texts SET clock = '00:00' WHERE id = 1", "/texts/1/clock"),
    "the same time elsewhere": (
        "UPDATE texts SET zoned_clock = '01:00:00+01' WHERE id = 0",
        "/texts/0/zoned_clock",
    ),
    "hours for a day": ("UPDATE texts SET span = '24 hours' WHERE id = 2", "/texts/2/span"),
    "a digit of a uuid": (
        "UPDATE texts SET uuid = '00000000-0000-0000-0000-000000000001' WHERE id = 0",
        "/texts/0/uuid",
    ),
    "members turned": ("""UPDATE texts SET json = '{"a": [1.0, true, "é"], "b": 1}' WHERE id = 1""", "/texts/1/json"),
    "a number without its zero": ("UPDATE texts SET jsonb = '1.1' WHERE id = 3", "/texts/3/jsonb"),
    "an element lost": ("UPDATE texts SET list = '{1,-3}' WHERE id = 1", "/texts/1/list"),
    "another lower bound": ("UPDATE texts SET list = '{5,6}' WHERE id = 3", "/texts/3/list"),
    "NULL as a word": (
        """UPDATE texts SET texts = '{"","NULL","NULL","a,b","c\\"d"}' WHERE id = 0""",
        "/texts/0/texts",
    ),
    "a leading zero bit": ("UPDATE texts SET bits = '01011' WHERE id = 2", "/texts/2/bits"),
    "a wider net": ("UPDATE texts SET address = '10.1.0.0/15' WHERE id = 2", "/texts/2/address"),
    "an end taken in": ("UPDATE texts SET span_of = '[1,6)' WHERE id = 1", "/texts/1/span_of"),
    "a point's sign": ("UPDATE texts SET spot = '(0,Infinity)' WHERE id = 1", "/texts/1/spot"),
    "NULL for not a number": ("UPDATE others SET double = NULL WHERE id = 0", "/others/0/double"),
    "zero without its sign": ("UPDATE others SET double = 0 WHERE id = 1", "/others/1/double"),
    "single precision without its sign": ("UPDATE others SET single = 0 WHERE id = 1", "/others/1/single"),
    "the last bit of a single": ("UPDATE others SET single = '0.10000001' WHERE id = 4", "/others/4/single"),
    "zero for not a number": ("UPDATE others SET exact = 0 WHERE id = 0", "/others/0/exact"),
    "the last of four hundred digits": ("UPDATE others SET exact = exact + 1 WHERE id = 3", "/others/3/exact"),
    "the three hundredth decimal": ("UPDATE others SET exact = 0 WHERE id = 4", "/others/4/exact"),
    "a cent": ("UPDATE others SET money = '-12345.68' WHERE id = 1", "/others/1/money"),
    "padded text": ("UPDATE others SET padded = 'b' WHERE id = 1", "/others/1/padded"),
    "a label": ("UPDATE marks SET mark = 'high' WHERE id = 1", "/marks/1/mark"),
    "labels turned": ("UPDATE marks SET marks = '{high,low}' WHERE id = 1", "/marks/1/marks"),
    "trailing space": ("UPDATE keyed SET name = name || ' ' WHERE id = 17", "/keyed/17/name"),
    "cut text": ("UPDATE keyed SET note = left(note, 4) WHERE id = 18", "/keyed/18/note"),
    "empty for text": ("UPDATE keyed SET note = '' WHERE id = 19", "/keyed/19/note"),
    "null for text": ("UPDATE keyed SET note = NULL WHERE id = 20", "/keyed/20/note"),
    "sub-second": ("UPDATE keyed SET at = date_trunc('second', at) WHERE id = 21", "/keyed/21/at"),
    "microsecond": ("UPDATE keyed SET at = at + interval '1 microsecond' WHERE id = 22", "/keyed/22/at"),
    "row lost": ("DELETE FROM keyed WHERE id = 23", "/keyed/23"),
    "row too many": ("INSERT INTO keyed VALUES (1000)", "/keyed/1000"),
    "key of another case": ("UPDATE named SET k = 'C' WHERE k = 'b'", '/named/"b" /named/"C"'),
    "one of two equal rows": (
        "DELETE FROM lines WHERE ctid = (SELECT min(ctid) FROM lines WHERE text = 'same')",
        '/lines/"same"',
    ),
    "swapped columns": (
        "UPDATE keyed SET name = note, note = name WHERE id = 24",
        "/keyed/24/name /keyed/24/note",
    ),
    "last partition lost": ("DELETE FROM keyed WHERE id BETWEEN 88 AND 90", "/keyed/88 /keyed/89 /keyed/90"),
    "key twice": (
        "ALTER TABLE keyed DROP CONSTRAINT keyed_pkey; INSERT INTO keyed SELECT * FROM keyed WHERE id = 40",
        "/keyed/40",
    ),
}


@pytest.fixture
async def pair(new_database: Callable[[str], str]) -> tuple[str, str]:
    """Two databases that hold the same."""
    made = new_database("template1"), new_database("template1")
    for dsn in made:
        async with connected(dsn) as connection:
            await connection.execute(_TABLES)
            await fill_textual(connection, "texts", TEXTUAL)
            await fill_textual(connection, "others", POSTGRES_ONLY)
    return made


async def test_every_defect_is_found_at_its_place_and_nothing_else(pair: tuple[str, str]) -> None:
    request = RowParityRequest(
        legacy=pair[0],
        target_dsn=pair[1],
        rows=RowsSettings(),
        options=RowParityOptions(partition_rows=25, recheck_after_s=0),
    )
    assert (await compare_rows(request)).first == []
    async with connected(pair[1]) as connection:
        for sql, _ in _DEFECTS.values():
            await connection.execute(sql)
    found = await compare_rows(request)
    expected = [pointer for _, pointers in _DEFECTS.values() for pointer in pointers.split(" /")]
    assert sorted(each.pointer.lstrip("/") for each in found.first) == sorted(each.lstrip("/") for each in expected)
