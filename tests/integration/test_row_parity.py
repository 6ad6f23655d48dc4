"""Rows of SQLite against rows of PostgreSQL: every planted defect at its row and column, none where none is."""

import itertools
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from harness.adapters import postgres_reader, sqlite_reader
from harness.domain.errors import ConfigurationError, HarnessError, SystemUnavailable
from harness.engine.rows import RowParityOptions
from harness.settings import RowsSettings, TableMap
from harness.wiring.parity import RowParity, RowParityRequest, compare_rows
from tests.builders.postgres import connected, execute

_LEGACY = """
CREATE TABLE cells (id INTEGER PRIMARY KEY, name TEXT, price FLOAT, quantity INTEGER, note TEXT, at DATETIME,
    seen TIMESTAMPTZ, day DATE, is_open BOOLEAN, fee NUMERIC(12, 4), exact NUMERIC(30, 10), raw BLOB);
CREATE TABLE pairs (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (a, b));
CREATE TABLE lines (text TEXT);
"""
_TARGET = """
CREATE TABLE cells (id bigint PRIMARY KEY, name text, price double precision, quantity bigint, note varchar(200),
    at timestamp, seen timestamptz, day date, is_open boolean, fee numeric(12, 4), exact numeric(30, 10), raw bytea);
CREATE TABLE pairs (a text, b integer, v text, PRIMARY KEY (a, b));
CREATE TABLE lines (text text);
"""
_NOON = datetime(2026, 2, 4, 12, 30, 15, 250_000)
_QUICK = RowParityOptions(partition_rows=25, recheck_after_s=0)


@pytest.fixture(autouse=True)
def _uneven_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two sides' blocks never end at the same row."""
    monkeypatch.setattr(sqlite_reader, "BLOCK_ROWS", 7)
    monkeypatch.setattr(postgres_reader, "BLOCK_ROWS", 5)


def _cells(number: int) -> tuple[Any, ...]:
    at = _NOON + timedelta(days=number, microseconds=number)
    price = 0.0 if number == 10 else number * 1.1
    note = None if number % 20 == 0 else f"note {number} of many"
    seen, day, fee = at.replace(tzinfo=UTC), at.date(), Decimal(number).scaleb(-4) + 7
    exact = Decimal("12345678901234567890.1234567890") + number
    return (
        2 * number,
        f"name-{number}",
        price,
        number * 1000,
        note,
        at,
        seen,
        day,
        number % 2 == 0,
        fee,
        exact,
        b"\0x",
    )


_PAIRS = [(a, b, f"{a}{b}") for a in ("B", "a", "Z", "ä", "z", "é", "😀", "") for b in (2, 1, 10)]
_LINES = [("same",), ("same",), ("other",), (None,)]


def _sqlite_cell(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "microseconds")
    if isinstance(cell, Decimal):
        return float(cell) if len(cell.as_tuple().digits) <= sys.float_info.dig else str(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


async def _fill(file: Path, dsn: str, rows: list[tuple[Any, ...]], pairs: list[tuple[Any, ...]]) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(_LEGACY)
        marks = ", ".join("?" * 12)
        database.executemany(f"INSERT INTO cells VALUES ({marks})", [tuple(map(_sqlite_cell, row)) for row in rows])
        database.executemany("INSERT INTO pairs VALUES (?, ?, ?)", pairs)
        database.executemany("INSERT INTO lines VALUES (?)", _LINES)
    async with connected(dsn) as connection:
        await connection.execute(_TARGET)
        await connection.copy_records_to_table("cells", records=rows)
        await connection.copy_records_to_table("pairs", records=pairs)
        await connection.copy_records_to_table("lines", records=_LINES)


@pytest.fixture
async def pair(tmp_path: Path, postgres_dsn: str) -> tuple[Path, str]:
    """Two databases that hold the same."""
    # Numbers beyond fifteen digits have no place in a SQLite column of numbers.
    rows = [(*_cells(number)[:10], None, *_cells(number)[11:]) for number in range(1, 61)]
    await _fill(tmp_path / "legacy.db", postgres_dsn, rows, _PAIRS)
    return tmp_path / "legacy.db", postgres_dsn


async def _compare(pair: tuple[Path, str], **more: Any) -> RowParity:
    settings = {"rows": RowsSettings(), "options": _QUICK, **more}
    return await compare_rows(RowParityRequest(legacy=str(pair[0]), target_dsn=pair[1], **settings))


async def _on_target(pair: tuple[Path, str], sql: str) -> None:
    await execute(pair[1], sql)


def _on_legacy(pair: tuple[Path, str], sql: str) -> None:
    with closing(sqlite3.connect(pair[0])) as database, database:
        database.execute(sql)


_TARGET_DEFECTS = {
    "trailing space": ("UPDATE cells SET name = name || ' ' WHERE id = 34", ["/cells/34/name"]),
    "case": ("UPDATE cells SET name = upper(name) WHERE id = 34", ["/cells/34/name"]),
    "unicode form": ("UPDATE pairs SET v = normalize(v, NFD) WHERE a = 'é' AND b = 1", ['/pairs/["é",1]/v']),
    "empty for null": ("UPDATE cells SET note = '' WHERE id = 40", ["/cells/40/note"]),
    "null for text": ("UPDATE cells SET note = NULL WHERE id = 42", ["/cells/42/note"]),
    "cut text": ("UPDATE cells SET note = left(note, 8) WHERE id = 42", ["/cells/42/note"]),
    "negative zero": ("UPDATE cells SET price = '-0' WHERE id = 20", ["/cells/20/price"]),
    "single precision": ("UPDATE cells SET price = price::real WHERE id = 34", ["/cells/34/price"]),
    "last bit": ("UPDATE cells SET price = price * (1 + 2.3e-16) WHERE id = 34", ["/cells/34/price"]),
    "not a number": ("UPDATE cells SET price = 'NaN' WHERE id = 34", ["/cells/34/price"]),
    "integer": ("UPDATE cells SET quantity = quantity + 1 WHERE id = 34", ["/cells/34/quantity"]),
    "microsecond": ("UPDATE cells SET at = at + interval '1 microsecond' WHERE id = 34", ["/cells/34/at"]),
    "sub-second": ("UPDATE cells SET at = date_trunc('second', at) WHERE id = 34", ["/cells/34/at"]),
    "local time": ("UPDATE cells SET at = at + interval '10 hours' WHERE id = 34", ["/cells/34/at"]),
    "zone": ("UPDATE cells SET seen = seen - interval '10 hours' WHERE id = 34", ["/cells/34/seen"]),
    "end of time": ("UPDATE cells SET at = 'infinity' WHERE id = 34", ["/cells/34/at"]),
    "before Christ": ("UPDATE cells SET at = '2026-02-21 12:30:15 BC' WHERE id = 34", ["/cells/34/at"]),
    "day": ("UPDATE cells SET day = day + 1 WHERE id = 34", ["/cells/34/day"]),
    "flag": ("UPDATE cells SET is_open = NOT is_open WHERE id = 34", ["/cells/34/is_open"]),
    "unknown flag": ("UPDATE cells SET is_open = NULL WHERE id = 34", ["/cells/34/is_open"]),
    "rounded decimal": ("UPDATE cells SET fee = round(fee, 2) WHERE id = 34", ["/cells/34/fee"]),
    "decimal for null": ("UPDATE cells SET exact = 0 WHERE id = 34", ["/cells/34/exact"]),
    "bytes": (r"UPDATE cells SET raw = '\x0079' WHERE id = 34", ["/cells/34/raw"]),
    "no bytes": ("UPDATE cells SET raw = '' WHERE id = 34", ["/cells/34/raw"]),
    "swapped columns": (
        "UPDATE cells SET name = note, note = name WHERE id = 34",
        ["/cells/34/name", "/cells/34/note"],
    ),
    "swapped rows": (
        "UPDATE pairs SET v = CASE b WHEN 1 THEN 'Z2' ELSE 'Z1' END WHERE a = 'Z' AND b < 3",
        ['/pairs/["Z",1]/v', '/pairs/["Z",2]/v'],
    ),
    "first row lost": ("DELETE FROM cells WHERE id = 2", ["/cells/2"]),
    "row lost": ("DELETE FROM cells WHERE id = 34", ["/cells/34"]),
    "last partition lost": ("DELETE FROM cells WHERE id > 100", [f"/cells/{n}" for n in range(102, 121, 2)]),
    "row doubled": (
        "ALTER TABLE cells DROP CONSTRAINT cells_pkey; INSERT INTO cells SELECT * FROM cells WHERE id = 34",
        ["/cells/34"],
    ),
    "row too many": ("INSERT INTO cells (id) VALUES (35)", ["/cells/35"]),
    "row behind the last": ("INSERT INTO cells (id) VALUES (999)", ["/cells/999"]),
    "row before the first": ("INSERT INTO cells (id) VALUES (-1)", ["/cells/-1"]),
    "another key": ("UPDATE pairs SET a = 'b' WHERE a = 'B' AND b = 1", ['/pairs/["B",1]', '/pairs/["b",1]']),
    "one of two equal rows": (
        "DELETE FROM lines WHERE ctid = (SELECT min(ctid) FROM lines WHERE text = 'same')",
        ['/lines/"same"'],
    ),
    "column lost": ("ALTER TABLE cells DROP COLUMN fee", ["/cells/fee"]),
    "table lost": ("DROP TABLE lines", ["/lines"]),
    "table too many": ("CREATE TABLE ghosts (id int PRIMARY KEY); INSERT INTO ghosts VALUES (1)", ["/ghosts/1"]),
}
_LEGACY_DEFECTS = {
    "text among integers": ("UPDATE cells SET quantity = 'x' WHERE id = 34", ["/cells/34/quantity"]),
    "text among floats": ("UPDATE cells SET price = 'dear' WHERE id = 34", ["/cells/34/price"]),
    "fraction among integers": ("UPDATE cells SET quantity = 17000.5 WHERE id = 34", ["/cells/34/quantity"]),
    "two for true": ("UPDATE cells SET is_open = 2 WHERE id = 36", ["/cells/36/is_open"]),
    "bytes for text": ("UPDATE cells SET name = CAST(name AS BLOB) WHERE id = 34", ["/cells/34/name"]),
    "no time": ("UPDATE cells SET at = 'soon' WHERE id = 34", ["/cells/34/at"]),
    "finer than a microsecond": ("UPDATE cells SET at = at || '1' WHERE id = 34", ["/cells/34/at"]),
    "NUL in text": ("UPDATE cells SET name = name || char(0) WHERE id = 34", ["/cells/34/name"]),
    "not UTF-8": ("UPDATE cells SET name = CAST(x'6eff' AS TEXT) WHERE id = 34", ["/cells/34/name"]),
}


@pytest.mark.parametrize("defect", _TARGET_DEFECTS)
async def test_a_defect_of_the_target_is_found_at_its_place(pair: tuple[Path, str], defect: str) -> None:
    sql, pointers = _TARGET_DEFECTS[defect]
    await _on_target(pair, sql)
    assert sorted(each.pointer for each in (await _compare(pair)).first) == sorted(pointers)


@pytest.mark.parametrize("defect", _LEGACY_DEFECTS)
async def test_a_defect_of_the_legacy_is_found_at_its_place(pair: tuple[Path, str], defect: str) -> None:
    sql, pointers = _LEGACY_DEFECTS[defect]
    _on_legacy(pair, sql)
    assert [each.pointer for each in (await _compare(pair)).first] == pointers


async def test_a_row_in_flight_settles(pair: tuple[Path, str]) -> None:
    await _on_target(pair, "UPDATE cells SET name = 'late' WHERE id = 34; DELETE FROM cells WHERE id = 36")

    async def arrive(_seconds: float) -> None:
        await _on_target(
            pair,
            "UPDATE cells SET name = 'name-17' WHERE id = 34; INSERT INTO cells SELECT 36, 'name-18', 18 * 1.1::float8,"
            " 18000, 'note 18 of many', at + interval '1 day 1 microsecond', seen + interval '1 day 1 microsecond',"
            " day + 1, true, fee + 0.0001, NULL, raw FROM cells WHERE id = 34",
        )

    found = await _compare(pair, options=RowParityOptions(partition_rows=25, sleep=arrive))
    assert (found.first, found.settled) == ([], 2)


async def test_a_comparison_that_was_cut_off_goes_on_with_the_same_outcome(
    pair: tuple[Path, str], tmp_path: Path
) -> None:
    await _on_target(pair, "UPDATE cells SET name = 'other' WHERE id IN (2, 60, 118)")
    whole = await _compare(pair, out=tmp_path / "whole")

    def cut_off_after(ranges: int) -> Callable[[RowParity], None]:
        remaining = iter(range(ranges))

        def count(_sums: RowParity) -> None:
            if next(remaining, None) is None:
                raise KeyboardInterrupt

        return count

    request = RowParityRequest(
        legacy=str(pair[0]),
        target_dsn=pair[1],
        rows=RowsSettings(),
        out=tmp_path / "cut",
        is_resumed=True,
        options=_QUICK,
    )
    for ranges in range(2):
        with pytest.raises(KeyboardInterrupt):
            await compare_rows(request, cut_off_after(ranges))
    resumed = await compare_rows(request)
    assert resumed == whole
    files = [(tmp_path / name / "differences.jsonl").read_bytes() for name in ("whole", "cut")]
    assert files[0] == files[1] and files[0].count(b"\n") == 3


async def test_mapped_tables_and_columns_are_compared_under_their_rules(pair: tuple[Path, str]) -> None:
    await _on_target(
        pair,
        "ALTER TABLE pairs RENAME TO couples; ALTER TABLE couples RENAME COLUMN v TO value;"
        "ALTER TABLE couples ADD COLUMN origin text DEFAULT 'legacy'; ALTER TABLE couples ADD COLUMN copy text;"
        "UPDATE couples SET copy = value; UPDATE couples SET value = 'zed one' WHERE value = 'z1'",
    )
    mapped = TableMap(
        table="couples",
        columns={"v": "value"},
        added={"origin": "= legacy", "copy": "column v"},
        enums={"v": {"z1": "zed one", "*": "*"}},
    )
    rows = RowsSettings(map={"pairs": mapped})
    assert (await _compare(pair, rows=rows)).first == []
    await _on_target(pair, "UPDATE couples SET origin = 'new', copy = 'x' WHERE a = 'ä' AND b = 10")
    found = sorted(each.pointer for each in (await _compare(pair, rows=rows)).first)
    assert found == ['/pairs/["ä",10]/copy', '/pairs/["ä",10]/origin']


async def test_two_postgresql_databases_are_compared_as_well(
    pair: tuple[Path, str], new_database: Callable[[str], str], tmp_path: Path
) -> None:
    other = new_database("template1")
    await _fill(tmp_path / "unused.db", other, [_cells(number) for number in range(1, 61)], _PAIRS)
    third = new_database("template1")
    await _fill(tmp_path / "unused too.db", third, [_cells(number) for number in range(1, 61)], _PAIRS)
    request = RowParityRequest(legacy=other, target_dsn=third, rows=RowsSettings(), options=_QUICK)
    assert (await compare_rows(request)).first == []
    await _on_target((tmp_path, third), "UPDATE cells SET exact = exact + 0.0000000001 WHERE id = 34")
    assert [each.pointer for each in (await compare_rows(request)).first] == ["/cells/34/exact"]


async def test_what_cannot_be_compared_is_named(pair: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        await _compare((tmp_path / "absent.db", pair[1]))
    with pytest.raises(SystemUnavailable):
        await _compare((pair[0], "postgresql://nobody@127.0.0.1:1/none"))
    wrong = RowsSettings(map={"pairs": TableMap(columns={"v": "worth"})})
    with pytest.raises(ConfigurationError, match="a column that is not there"):
        await _compare(pair, rows=wrong)
    await _compare(pair, out=tmp_path / "run")
    with pytest.raises(ConfigurationError, match="not empty"):
        await _compare(pair, out=tmp_path / "run")
    with pytest.raises(ConfigurationError, match="other databases"):
        await _compare((tmp_path / "unused.db", pair[1]), out=tmp_path / "run", is_resumed=True)


async def test_a_disk_that_is_full_is_told_and_the_comparison_goes_on_once_there_is_room(
    pair: tuple[Path, str], tmp_path: Path
) -> None:
    await _on_target(pair, "UPDATE cells SET name = 'other' WHERE id IN (60, 118)")
    kept = tmp_path / "run" / "differences.jsonl"

    def fill_up(_sums: RowParity) -> None:
        kept.unlink()
        kept.symlink_to("/dev/full")

    request = RowParityRequest(
        legacy=str(pair[0]), target_dsn=pair[1], rows=RowsSettings(), out=kept.parent, options=_QUICK
    )
    with pytest.raises(HarnessError, match="No space left"):
        await compare_rows(request, fill_up)
    kept.unlink()
    found = await _compare(pair, out=kept.parent, is_resumed=True)
    assert [each.pointer for each in found.first] == ["/cells/60/name", "/cells/118/name"]
    assert kept.read_bytes().count(b"\n") == 2


async def test_a_row_that_needs_longer_is_read_again_and_one_that_never_comes_is_not_waited_for(
    pair: tuple[Path, str],
) -> None:
    await _on_target(pair, "UPDATE cells SET name = 'late' WHERE id IN (34, 36)")
    pauses: list[float] = []

    async def arrive(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            await _on_target(pair, "UPDATE cells SET name = 'name-17' WHERE id = 34")

    options = RowParityOptions(partition_rows=1_000, recheck_after_s=0.5, recheck_times=3, sleep=arrive)
    found = await _compare(pair, options=options)
    assert ([each.pointer for each in found.first], found.settled) == (["/cells/36/name"], 1)
    assert pauses == [0.5] * 3


async def test_a_table_without_a_key_is_read_again_as_a_whole(pair: tuple[Path, str]) -> None:
    await _on_target(pair, "INSERT INTO lines VALUES ('late')")

    async def arrive(_seconds: float) -> None:
        await _on_target(pair, "DELETE FROM lines WHERE text = 'late'")

    found = await _compare(pair, options=RowParityOptions(partition_rows=1_000, sleep=arrive))
    assert (found.first, found.settled) == ([], 1)


async def test_what_comes_to_a_table_without_a_key_while_it_is_read_again_is_no_difference(
    pair: tuple[Path, str],
) -> None:
    await _on_target(pair, "INSERT INTO lines VALUES ('late'), ('lost')")
    arrivals = itertools.count(1)

    async def arrive(_seconds: float) -> None:
        await _on_target(pair, f"UPDATE lines SET text = 'later {next(arrivals)}' WHERE text LIKE 'late%'")

    found = await _compare(pair, options=RowParityOptions(partition_rows=1_000, sleep=arrive))
    assert ([each.pointer for each in found.first], found.settled) == (['/lines/"lost"'], 1)


_SECRETS = """
CREATE TABLE users (id INTEGER PRIMARY KEY, password INTEGER, api_key {blob}, note TEXT);
CREATE TABLE tokens (token VARCHAR(40) PRIMARY KEY, owner INTEGER);
CREATE TABLE grants (secret TEXT, owner INTEGER);
"""


async def _fill_secrets(tmp_path: Path, dsn: str) -> tuple[Path, str]:
    pair = (tmp_path / "legacy.db", dsn)
    users = [(number, 815_000 + number, b"s3cr3t%d" % number, None) for number in range(1, 61)]
    tokens = [(f"s3cr3t-{number:03d}", number) for number in range(1, 61)]
    with closing(sqlite3.connect(pair[0])) as database, database:
        database.executescript(_SECRETS.format(blob="BLOB"))
        database.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", users)
        database.executemany("INSERT INTO tokens VALUES (?, ?)", tokens)
        database.executemany("INSERT INTO grants VALUES (?, ?)", tokens)
    await _on_target(pair, _SECRETS.format(blob="bytea"))
    async with connected(dsn) as connection:
        for table, rows in (("users", users), ("tokens", tokens), ("grants", tokens)):
            await connection.copy_records_to_table(table, records=rows)
    return pair


async def test_secret_cells_and_keys_are_compared_and_not_written_down(tmp_path: Path, postgres_dsn: str) -> None:
    pair = await _fill_secrets(tmp_path, postgres_dsn)
    assert (await _compare(pair)).first == []
    await _on_target(pair, "UPDATE users SET password = password + 1 WHERE id = 7")
    await _on_target(pair, "UPDATE users SET api_key = 's3cr3t-other' WHERE id = 8")
    await _on_target(pair, "DELETE FROM users WHERE id = 9")
    await _on_target(pair, "UPDATE tokens SET owner = -1 WHERE token = 's3cr3t-050'")
    await _on_target(pair, "UPDATE tokens SET token = 's3cr3t-other' WHERE token = 's3cr3t-051'")
    await _on_target(pair, "DELETE FROM grants WHERE secret = 's3cr3t-052'")
    found = await _compare(pair, out=tmp_path / "run")
    where = [re.sub(r"\[redacted:\w+\]", "SECRET", each.pointer) for each in found.first]
    assert sorted(where) == [
        '/grants/["SECRET",52]',
        '/tokens/"SECRET"',
        '/tokens/"SECRET"',
        '/tokens/"SECRET"/owner',
        "/users/7/password",
        "/users/8/api_key",
        "/users/9",
    ]
    assert all(each.legacy != each.target for each in found.first)
    written = b"".join(file.read_bytes() for file in (tmp_path / "run").iterdir())
    for secret in (b"s3cr3t", b"815007", b"815008", b"815009", b"s3cr3t9".hex().encode()):
        assert secret not in written + repr(found).encode()
