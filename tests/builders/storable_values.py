"""Every value that SQLite and PostgreSQL can both store, dealt out over a number of databases.

Each database gets a share of every code point, exponent, year and offset, and all of what is few: limits, signs,
storage classes, bytes.
"""

import math
import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

SHARES = 20
Textual = Mapping[str, tuple[str, str, tuple[str, ...]]]
"""By column its type in SQLite and in PostgreSQL, and its values as text."""
_CHARACTERS_A_TEXT = 64
_MICROSECONDS = (0, 1, 10, 100_000, 120_000, 123_000, 123_400, 123_450, 123_456, 500_000, 999_999)
_ENDINGS = ("", " ", "\t", "\n", "\r\n", "\u00a0", "\u0301", "'", '"', "\\", "\\N", "%", "_", "|", "NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorableColumn:
    """A column of both databases; a pair of cells means the same: as SQLite stores it, and as asyncpg takes it."""

    name: str
    sqlite_type: str
    postgres_type: str
    cells: Sequence[tuple[Any, Any]]


def storable_columns(share: int) -> tuple[StorableColumn, ...]:
    """The columns of one of the databases."""
    draw = random.Random(share)
    columns = (
        ("flag", "BOOLEAN", "boolean", [(0, False), (1, True)]),
        ("small", "SMALLINT", "smallint", _same(_integers(15))),
        ("whole", "INTEGER", "integer", _same(_integers(31))),
        ("big", "BIGINT", "bigint", _same(_integers(63))),
        ("double", "FLOAT", "double precision", _same(_floats(share, draw))),
        ("single", "REAL", "real", _same(_singles(share, draw))),
        ("fee", "NUMERIC(15, 4)", "numeric(15, 4)", [(_number(each), each) for each in _decimals(draw, 15, 4)]),
        ("free", "DECIMAL", "numeric", [(_number(each), each) for each in _free_decimals(draw)]),
        ("note", "TEXT", "text", _same(_texts(share))),
        ("code", "VARCHAR(200)", "varchar(200)", _same([f"{each}{end}" for each in ("", "a") for end in _ENDINGS])),
        ("raw", "BLOB", "bytea", _same(_blobs(draw))),
        ("day", "DATE", "date", [(each.isoformat(), each) for each in _days(share, draw)]),
        ("at", "DATETIME", "timestamp", list(_moments(share, draw))),
        ("seen", "TIMESTAMPTZ", "timestamptz", list(_instants(share, draw))),
    )
    return tuple(
        StorableColumn(name=name, sqlite_type=kind, postgres_type=other, cells=[*cells, (None, None)])
        for name, kind, other, cells in columns
    )


_MORNING, _NIGHT = "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"

TEXTUAL = {
    "era": (
        "DATETIME",
        "timestamp",
        (_MORNING, _NIGHT, "infinity", "-infinity", "0044-03-15 12:00:00 BC", "294276-12-31 23:59:59.999999"),
    ),
    "zoned": (
        "TIMESTAMPTZ",
        "timestamptz",
        (f"{_MORNING}Z", f"{_NIGHT}Z", "infinity", "0001-01-01 00:00:00+00 BC", "10000-01-01 00:00:00+00"),
    ),
    "date": (
        "DATE",
        "date",
        ("0001-01-01", "9999-12-31", "infinity", "-infinity", "0044-03-15 BC", "5874897-12-31", "4713-01-01 BC"),
    ),
    "clock": ("TIME", "time", ("00:00:00", "24:00:00", "23:59:59.999999", "12:30:15.5")),
    "zoned_clock": ("TEXT", "timetz", ("00:00:00+00", "23:59:59.999999-15:59")),
    "span": ("TEXT", "interval", ("00:00:00", "-1 years -2 mons +3 days -04:05:06.789", "1 day", "178000000 years")),
    "uuid": ("UUID", "uuid", ("00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    "json": ("TEXT", "json", ("null", '{"b": 1, "a": [1.0, true, "é\\u0000"]}', "1e400", '""')),
    "jsonb": ("TEXT", "jsonb", ("null", '{"a": [1.0, true, "é"], "b": 1}', "[]", "1.10")),
    "list": ("TEXT", "integer[]", ("{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[0:1]={5,6}")),
    "texts": ("TEXT", "text[]", ('{"",NULL,"NULL","a,b","c\\"d"}',)),
    "bits": ("TEXT", "varbit", ("", "0", "1011")),
    "address": ("TEXT", "inet", ("0.0.0.0/32", "::1/128", "10.1.0.0/16")),
    "span_of": ("TEXT", "int4range", ("empty", "[1,5)", "(,)")),
    "spot": ("TEXT", "point", ("(1,2)", "(-0,Infinity)")),
}
"""Columns of values that Python has no like of, given as the text that PostgreSQL writes: it is what SQLite holds."""

POSTGRES_ONLY = {
    "double": ("", "double precision", ("NaN", "-0", "0", "5e-324", "-Infinity", "0.1")),
    "single": ("", "real", ("NaN", "-0", "1e-45", "3.4028235e+38", "0.1")),
    "exact": (
        "",
        "numeric",
        ("NaN", "Infinity", "-Infinity", "1" * 400, f"0.{0:0300}1", "1.50", "1.5", "-0.00"),
    ),
    "padded": ("", "char(5)", ("", "a", "abcde", " b")),
    "money": ("", "money", ("0", "-12345.67")),
}
"""Values that no SQLite column holds: NaN is NULL there, -0.0 is 0.0, and numbers have fifteen digits."""


def textual_rows(columns: Textual) -> list[tuple[Any, ...]]:
    """A row for every value of the longest column, and NULLs."""
    count = max(len(values) for _, _, values in columns.values()) + 1
    cells = [list(islice(cycle([*values, None]), count)) for _, _, values in columns.values()]
    return [(number, *row) for number, row in enumerate(zip(*cells, strict=True))]


async def fill_textual(connection: Any, table: str, columns: Textual) -> None:
    """Makes a table of these columns, and its rows."""
    declared = ", ".join(f"{name} {kind}" for name, (_, kind, _) in columns.items())
    await connection.execute(f"CREATE TABLE {table} (id integer PRIMARY KEY, {declared})")
    given = ", ".join(f"${number}::text::{kind}" for number, (_, kind, _) in enumerate(columns.values(), 2))
    await connection.executemany(f"INSERT INTO {table} VALUES ($1, {given})", textual_rows(columns))


def _same(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [(value, value) for value in values]


def _shared(values: Sequence[Any], share: int) -> Sequence[Any]:
    return values[share::SHARES]


def _integers(bits: int) -> list[int]:
    near = {sign * 2**power + step for power in range(bits) for sign in (1, -1) for step in (-1, 0, 1)}
    return sorted(near | {2**bits - 1, -(2**bits), 0})


def _floats(share: int, draw: random.Random) -> list[float]:
    drawn = [
        math.ldexp(sign * draw.uniform(1, 2), exponent)
        for exponent in _shared(range(-1074, 1024), share)
        for sign in (1, -1)
    ]
    edges = [0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.inf, -math.inf, 0.1, 1e15, 2.0**53, 1.0]
    # A float that has no fraction and is less than 2^48 takes less room in SQLite, and comes back as a float.
    return [*edges, *(-each for each in edges[1:]), *drawn, float(draw.randrange(-(10**15), 10**15))]


def _singles(share: int, draw: random.Random) -> list[float]:
    exponents = _shared(range(1, 255), share)
    bits = [sign << 31 | each << 23 | draw.randrange(2**23) for each in exponents for sign in (0, 1)]
    return [struct.unpack(">f", struct.pack(">I", each))[0] for each in [*bits, 0, 1, 0x7F7FFFFF, 0x7F800000]]


def _decimals(draw: random.Random, digits: int, scale: int) -> list[Decimal]:
    limits = [10**power - 1 for power in range(1, digits + 1)]
    drawn = [draw.randrange(limit + 1) for limit in limits]
    return [Decimal(sign * each).scaleb(-scale) for each in [0, *limits, *drawn] for sign in (1, -1)]


def _free_decimals(draw: random.Random) -> list[Decimal]:
    digits = [(draw.randrange(1, 10**size), scale) for size in range(1, 16) for scale in range(0, 20, 3)]
    return [Decimal(number).scaleb(-scale) for number, scale in digits]


def _number(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else float(value)


def _texts(share: int) -> list[str]:
    """Every code point but NUL, which PostgreSQL refuses, and the surrogates, which are no characters."""
    points = [*range(1, 0xD800), *range(0xE000, 0x110000)]
    starts = _shared(range(0, len(points), _CHARACTERS_A_TEXT), share)
    return ["".join(map(chr, points[start : start + _CHARACTERS_A_TEXT])) for start in starts]


def _blobs(draw: random.Random) -> list[bytes]:
    return [b"", bytes(range(256)), *(bytes([each]) for each in range(256)), draw.randbytes(2000)]


def _days(share: int, draw: random.Random) -> list[date]:
    """Not the first and the last: the driver would make them infinite. They are among the textual ones."""
    years = _shared(range(1, 10_000), share)
    edges = [date(year, month, day) for year in years for month, day in ((1, 2), (12, 30), (2, 28))]
    return [*edges, date(2024, 2, 29), date(1900, 2, 28), *(date(year, draw.randint(1, 12), 15) for year in years)]


def _moments(share: int, draw: random.Random) -> Iterator[tuple[str, datetime]]:
    for number, day in enumerate(_days(share, draw)):
        moment = datetime(day.year, day.month, day.day, 23, 59, 59, _MICROSECONDS[number % len(_MICROSECONDS)])
        yield _spelled(moment, number), moment


def _instants(share: int, draw: random.Random) -> Iterator[tuple[str, datetime]]:
    """Every offset of whole minutes that PostgreSQL takes, in the spellings that applications use."""
    for number, minutes in enumerate(_shared(range(-959, 960), share)):
        zone = timezone(timedelta(minutes=minutes))
        micros = _MICROSECONDS[number % len(_MICROSECONDS)]
        moment = datetime(draw.randint(2, 9998), draw.randint(1, 12), draw.randint(1, 28), 12, 30, 15, micros, zone)
        yield f"{_spelled(moment.replace(tzinfo=None), number)}{moment.isoformat()[-6:]}", moment
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    yield from ((f"2026-03-01 12:00:00{suffix}", noon) for suffix in ("Z", "+00", "+0000", "-00:00"))


def _spelled(moment: datetime, number: int) -> str:
    """In turn: microseconds always, only where there are any, without zeros at the end, with too many, with a T."""
    full = moment.isoformat(" ", "microseconds")
    short = full.rstrip("0").rstrip(".") if moment.microsecond else full[:19]
    spellings = (full, moment.isoformat(" "), short, f"{full}000", full.replace(" ", "T"))
    return spellings[number % len(spellings)]
