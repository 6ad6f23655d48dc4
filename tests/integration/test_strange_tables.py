"""Tables that no application of ours has: keys that hold NULL or an enum, computed columns, domains, cut keys."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from harness.adapters.postgres_reader import PostgresReader
from harness.domain.errors import ConfigurationError, DataRefused
from harness.domain.row_parity import KeyRange
from harness.domain.rows import Row
from harness.engine.rows import RowParityOptions
from harness.settings import RowsSettings
from harness.wiring.migrate import migrate_rows
from harness.wiring.parity import RowParityRequest, compare_rows
from tests.builders.postgres import execute

_SIXTY = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 60)"
_PAIRS = f"""
CREATE TABLE pairs (a TEXT, b INTEGER, v TEXT, PRIMARY KEY (a, b));
{_SIXTY} INSERT INTO pairs SELECT 'k' || (n / 10), n, 'v' FROM s;
"""
_TARGET_PAIRS = """
CREATE TABLE pairs (a text, b integer, v text);
INSERT INTO pairs SELECT 'k' || (n / 10), n, 'v' FROM generate_series(1, 60) n;
"""
_NULL_KEYS = "INSERT INTO pairs VALUES (NULL, 1, 'x'), ('k3', NULL, 'y')"
_POINTERS = ['/pairs/["k3",null]', "/pairs/[null,1]"]
_COMPUTED = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, price {0}, pieces {0}, total {0} GENERATED ALWAYS AS ({1}) STORED)"
)


async def _found(legacy: str | Path, target: str, *, rows: int = 25) -> list[str]:
    options = RowParityOptions(partition_rows=rows, recheck_after_s=0)
    request = RowParityRequest(legacy=str(legacy), target_dsn=target, rows=RowsSettings(), options=options)
    return sorted(each.pointer for each in (await compare_rows(request)).first)


def _sqlite(directory: Path, script: str) -> Path:
    file = directory / "legacy.db"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(script)
    return file


async def _postgres(dsn: str, script: str) -> str:
    await execute(dsn, script)
    return dsn


@pytest.mark.parametrize("rows", [7, 1000], ids=["ranges", "one range"])
async def test_a_row_whose_key_holds_null_is_compared(tmp_path: Path, postgres_dsn: str, rows: int) -> None:
    legacy = _sqlite(tmp_path, f"{_PAIRS}{_NULL_KEYS}")
    target = await _postgres(postgres_dsn, _TARGET_PAIRS)
    assert await _found(legacy, target, rows=rows) == _POINTERS
    await _postgres(target, _NULL_KEYS)
    assert await _found(legacy, target, rows=rows) == []
    with closing(sqlite3.connect(legacy)) as database, database:
        database.execute("DELETE FROM pairs WHERE a IS NULL OR b IS NULL")
    assert await _found(legacy, target, rows=rows) == _POINTERS


async def test_a_row_that_postgresql_keeps_without_a_key_is_compared(new_database: Callable[[str], str]) -> None:
    loose = await _postgres(new_database("template1"), f"{_TARGET_PAIRS}{_NULL_KEYS}")
    keyed = await _postgres(new_database("template1"), f"{_TARGET_PAIRS} ALTER TABLE pairs ADD PRIMARY KEY (a, b)")
    assert await _found(loose, keyed, rows=7) == _POINTERS
    assert await _found(keyed, loose, rows=7) == _POINTERS


async def test_an_enum_in_a_key_keeps_rows_together(tmp_path: Path, postgres_dsn: str) -> None:
    names = "CASE n % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'closed' ELSE 'aborted' END"
    legacy = _sqlite(
        tmp_path,
        "CREATE TABLE events (state TEXT, n INTEGER, PRIMARY KEY (state, n));"
        f"{_SIXTY.replace('60', '16000')} INSERT INTO events SELECT {names}, n FROM s",
    )
    target = await _postgres(
        postgres_dsn,
        "CREATE TYPE state AS ENUM ('open', 'closed', 'aborted');"
        "CREATE TABLE events (state state, n integer, PRIMARY KEY (state, n));"
        f"INSERT INTO events SELECT ({names})::state, n FROM generate_series(1, 16000) n;"
        "DELETE FROM events WHERE n = 9",
    )
    # More rows than are read again: they have to meet at once.
    assert await _found(legacy, target, rows=100_000) == ['/events/["open",9]']
    assert await _found(legacy, target, rows=3000) == ['/events/["open",9]']


async def test_a_computed_column_is_compared_and_left_to_the_target(tmp_path: Path, postgres_dsn: str) -> None:
    computed = _COMPUTED.format("REAL", "price * pieces")
    legacy = _sqlite(tmp_path, f"{computed}; INSERT INTO orders VALUES (1, 2.5, 2), (2, 1, 3)")
    target = await _postgres(postgres_dsn, _COMPUTED.format("double precision", "price * pieces"))
    await migrate_rows(legacy, target)
    assert await _found(legacy, target) == []
    await _postgres(target, "ALTER TABLE orders ALTER COLUMN total SET EXPRESSION AS (price * pieces + id - 1)")
    assert await _found(legacy, target) == ["/orders/2/total"]


async def test_a_domain_is_compared_as_the_type_below_it(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = _sqlite(
        tmp_path,
        "CREATE TABLE fees (id INTEGER PRIMARY KEY, fee NUMERIC(30, 10), at DATETIME);"
        "INSERT INTO fees VALUES (1, 1.5, '2026-02-04 12:30:00'), (2, 9007199254740993, '2026-02-04 12:30:15.250')",
    )
    target = await _postgres(
        postgres_dsn,
        "CREATE DOMAIN exact AS numeric(30, 10); CREATE DOMAIN fee AS exact CHECK (VALUE > 0);"
        "CREATE DOMAIN at AS timestamp;"
        "CREATE TABLE fees (id integer PRIMARY KEY, fee fee, at at)",
    )
    await migrate_rows(legacy, target)
    assert await _found(legacy, target) == []
    await _postgres(target, "UPDATE fees SET fee = 9007199254740992, at = at + interval '1 microsecond' WHERE id = 2")
    assert await _found(legacy, target) == ["/fees/2/at", "/fees/2/fee"]


async def test_a_key_that_was_cut_is_not_another_rows(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = _sqlite(
        tmp_path,
        "CREATE TABLE names (k VARCHAR(5) PRIMARY KEY); INSERT INTO names VALUES ('abcde'), ('abcdefgh');"
        "CREATE TABLE times (k DATETIME PRIMARY KEY);"
        "INSERT INTO times VALUES ('2026-02-04 10:00:00'), ('2026-02-04 10:00:00.3');",
    )
    target = await _postgres(
        postgres_dsn,
        "CREATE TABLE names (k varchar(5) PRIMARY KEY); INSERT INTO names VALUES ('abcde');"
        "CREATE TABLE times (k timestamp(0) PRIMARY KEY); INSERT INTO times VALUES ('2026-02-04 10:00:00')",
    )
    assert await _found(legacy, target) == ['/names/"abcdefgh"', '/times/"2026-02-04 10:00:00.3"']


async def test_text_that_is_not_utf_8_costs_no_equal_row(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = _sqlite(
        tmp_path,
        f"CREATE TABLE lines (a TEXT, b TEXT); {_SIXTY.replace('60', '6000')}"
        " INSERT INTO lines SELECT NULL, 'same' FROM s;"
        "INSERT INTO lines VALUES ('z', CAST(x'ff41' AS TEXT))",
    )
    target = await _postgres(
        postgres_dsn,
        "CREATE TABLE lines (a text, b text); INSERT INTO lines SELECT NULL, 'same' FROM generate_series(1, 6000)",
    )
    assert await _found(legacy, target) == [r'/lines/["z","\udcffA"]']


_SPELLED = """
CREATE TABLE things (id {uuid} PRIMARY KEY, bytes {bytes}, other {other}, opens {time}, closes {time}, facts {json},
    host {inet});
"""
_THINGS = """
INSERT INTO things VALUES
    ('0a0eebc99c0b4ef8bb6d6bb9bd380a11', x'A0EEBC999C0B4EF8BB6D6BB9BD380A11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
     '09:30:00.000000', '17:30', '{"b": 1, "a": [1.0, 1e2, "\\u00e9"]}', '10.0.0.1'),
    ('1a0eebc99c0b4ef8bb6d6bb9bd380a11', NULL, NULL, '09:30:15.500', '24:00:00', 'null', '2001:DB8::1'),
    ('2a0eebc99c0b4ef8bb6d6bb9bd380a11', NULL, NULL, NULL, NULL, '-1.50', '10.1.0.0/16');
"""
_THING = '/things/"1a0eebc99c0b4ef8bb6d6bb9bd380a11"'


async def test_a_uuid_a_time_and_json_are_carried_and_compared_by_what_they_mean(
    tmp_path: Path, postgres_dsn: str
) -> None:
    declared = _SPELLED.format(uuid="CHAR(32)", bytes="BLOB", other="UUID", time="TIME", json="JSON", inet="TEXT")
    legacy = _sqlite(tmp_path, declared + _THINGS)
    target = await _postgres(
        postgres_dsn, _SPELLED.format(uuid="uuid", bytes="uuid", other="uuid", time="time", json="jsonb", inet="inet")
    )
    await migrate_rows(legacy, target)
    assert await _found(legacy, target, rows=1) == []
    await _postgres(
        target,
        """UPDATE things SET bytes = id, other = id, opens = '09:30:15.500001', closes = '00:00', facts = '{"b": 1}',
            host = '2001:db8::2'
        WHERE id = '1a0eebc9-9c0b-4ef8-bb6d-6bb9bd380a11'""",
    )
    columns = ("bytes", "closes", "facts", "host", "opens", "other")
    assert await _found(legacy, target, rows=1) == [f"{_THING}/{column}" for column in columns]


@pytest.mark.parametrize(
    ("column", "kind", "cell", "said"),
    [
        ("id", "uuid", "'not a uuid'", "is not a uuid"),
        ("id", "uuid", "x'00'", "is not a uuid"),
        ("at", "time(3)", "'10:00:00.1234'", "would be rounded"),
        ("at", "time", "'25:00'", "is not a time of day"),
        ("facts", "jsonb", """'{"a": 1, "a": 2}'""", "would be changed"),
        ("facts", "jsonb", """'["\\u0000"]'""", "would be changed"),
        ("facts", "jsonb", "'NaN'", "is not JSON"),
        ("facts", "json", "'[NaN]'", "is not JSON"),
    ],
)
async def test_what_a_type_would_change_is_refused(  # noqa: PLR0917 - a case, and where it is tried
    tmp_path: Path, postgres_dsn: str, column: str, kind: str, cell: str, said: str
) -> None:
    legacy = _sqlite(tmp_path, f"CREATE TABLE things ({column} TEXT); INSERT INTO things VALUES ({cell})")
    target = await _postgres(postgres_dsn, f"CREATE TABLE things ({column} {kind})")
    with pytest.raises(DataRefused, match=f"column {column}: .*{said}"):
        await migrate_rows(legacy, target)


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ"])
async def test_keys_in_several_spellings_meet_across_ranges(tmp_path: Path, postgres_dsn: str, kind: str) -> None:
    noon = datetime(2026, 2, 4, 12, tzinfo=UTC)
    zones = (UTC, timezone(timedelta(hours=10)))
    moments = [noon + timedelta(minutes=37 * n) for n in range(60)]
    texts = [
        moment.astimezone(zones[n % 2]).isoformat(" ")
        if kind == "TIMESTAMPTZ"
        else moment.replace(tzinfo=None).isoformat(" T"[n % 2])
        for n, moment in enumerate(moments)
    ]
    values = ", ".join(f"('{text}')" for text in texts)
    legacy = _sqlite(tmp_path, f"CREATE TABLE times (at {kind} PRIMARY KEY); INSERT INTO times VALUES {values}")
    target = await _postgres(
        postgres_dsn,
        f"CREATE TABLE times (at {kind} PRIMARY KEY); INSERT INTO times VALUES {values};"
        f"DELETE FROM times WHERE at = '{texts[5]}'; INSERT INTO times VALUES ('2027-01-01 00:00:00Z')",
    )
    extra = f"2027-01-01 00:00:00.000000{'+00:00' if kind == 'TIMESTAMPTZ' else ''}"
    for rows in (7, 1000):
        assert await _found(legacy, target, rows=rows) == [f'/times/"{texts[5]}"', f'/times/"{extra}"']


_UUIDS = [f"{n * 7919 % 256:02x}000000-0000-0000-0000-{n:012x}" for n in range(60)]
_SPELLED_KEYS = {
    "uuid": [each.upper() if n % 2 else each.replace("-", "") for n, each in enumerate(_UUIDS)],
    "timestamp": [f"2024-01-01{' T'[n % 2]}00:{n:02}:00" for n in range(60)],
    "jsonb": [f'{{"b": {n}, "a": {n % 7}}}' if n % 2 else f'{{"a":{n % 7},"b":{n}}}' for n in range(60)],
}
_SPELLED_AGAIN: Mapping[str, Callable[[str], str]] = {
    "uuid": lambda key: key.replace("-", "").swapcase(),
    "timestamp": lambda key: f"{key}.000",
    "jsonb": lambda key: f" {key}",
}


@pytest.mark.parametrize("rows", [7, 1000], ids=["ranges", "one range"])
@pytest.mark.parametrize("kind", _SPELLED_KEYS)
async def test_a_row_is_told_once_wherever_its_key_lies(
    tmp_path: Path, postgres_dsn: str, kind: str, rows: int
) -> None:
    keys, declared = _SPELLED_KEYS[kind], "TIMESTAMP" if kind == "timestamp" else "TEXT"
    values = ", ".join(f"('{key}', '{n}')" for n, key in enumerate(keys))
    script = f"CREATE TABLE things (key KIND PRIMARY KEY, v TEXT); INSERT INTO things VALUES {values}"
    legacy = _sqlite(tmp_path, script.replace("KIND", declared))
    target = await _postgres(postgres_dsn, script.replace("KIND", kind))
    assert await _found(legacy, target, rows=rows) == []
    await _postgres(target, f"UPDATE things SET v = 'x' WHERE key IN ('{keys[3]}', '{keys[4]}')")
    changed = [f"/things/{json.dumps(keys[n])}/v" for n in (3, 4)]
    assert await _found(legacy, target, rows=rows) == sorted(changed)
    again = _SPELLED_AGAIN[kind](keys[30])
    with closing(sqlite3.connect(legacy)) as database, database:
        database.execute("INSERT INTO things VALUES (?, '30')", (again,))
    lost = set(await _found(legacy, target, rows=rows)) - set(changed)
    assert lost
    assert lost <= {f"/things/{json.dumps(key)}" for key in (keys[30], again)}


@pytest.mark.parametrize("kind", ["text", "uuid"])
async def test_a_legacy_is_read_as_a_whole_only_where_its_keys_may_be_spelled_otherwise(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    ids = "SELECT (CASE n % 2 WHEN 0 THEN upper(md5(n::text)) ELSE md5(n::text) END)::{0} FROM generate_series(1, 60) n"
    script = "CREATE TABLE things (id {0} PRIMARY KEY); INSERT INTO things " + ids
    zero = "INSERT INTO things VALUES ('00000000000000000000000000000000')"
    legacy = await _postgres(new_database("template1"), script.format(kind))
    target = await _postgres(new_database("template1"), f"{script.format('uuid')}; {zero}")
    asked, read_blocks = list[KeyRange](), PostgresReader.read_blocks

    def noted(self: PostgresReader, table: str, key: Sequence[str], keys: KeyRange) -> AsyncIterator[Sequence[Row]]:
        asked.append(keys)
        return read_blocks(self, table, key, keys)

    monkeypatch.setattr(PostgresReader, "read_blocks", noted)
    assert await _found(legacy, target, rows=25) == ['/things/"00000000-0000-0000-0000-000000000000"']
    assert (KeyRange() in asked) == (kind == "text")


async def test_a_row_that_a_trigger_refuses_is_named(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = _sqlite(tmp_path, "CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (7)")
    target = await _postgres(
        postgres_dsn,
        """CREATE TABLE notes (id integer PRIMARY KEY);
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION refuse()""",
    )
    with pytest.raises(DataRefused, match="not today") as raised:
        await migrate_rows(legacy, target)
    assert raised.value.where == "table notes, row id=7"


async def test_a_key_that_the_targets_type_cannot_hold_is_told_and_ends_nothing(
    tmp_path: Path, postgres_dsn: str
) -> None:
    legacy = _sqlite(
        tmp_path,
        "CREATE TABLE numbers (k INT PRIMARY KEY); INSERT INTO numbers VALUES (-1), (2.5), (7), (3000000000), ('x');"
        "CREATE TABLE singles (k REAL PRIMARY KEY); INSERT INTO singles VALUES (-1e300), (0.5), (9e999);",
    )
    target = await _postgres(
        postgres_dsn,
        "CREATE TABLE numbers (k integer PRIMARY KEY); INSERT INTO numbers VALUES (-1), (2), (7);"
        "CREATE TABLE singles (k real PRIMARY KEY); INSERT INTO singles VALUES (0.5), ('infinity')",
    )
    expected = ['/numbers/"x"', "/numbers/2", "/numbers/2.5", "/numbers/3000000000", "/singles/-1e+300"]
    for rows in (1, 2, 1000):
        assert await _found(legacy, target, rows=rows) == expected


async def test_a_virtual_table_is_compared_and_what_it_keeps_its_content_in_is_not(
    tmp_path: Path, postgres_dsn: str
) -> None:
    legacy = _sqlite(
        tmp_path,
        "CREATE VIRTUAL TABLE notes USING fts5 (title, body); INSERT INTO notes VALUES ('a', 'one'), ('b', 'two');",
    )
    target = await _postgres(postgres_dsn, "CREATE TABLE notes (title text, body text)")
    await migrate_rows(legacy, target)
    assert await _found(legacy, target) == []
    await _postgres(target, "DELETE FROM notes WHERE title = 'b'")
    assert await _found(legacy, target) == ['/notes/["b","two"]']


async def test_a_virtual_table_that_nobody_here_can_read_is_told(tmp_path: Path, postgres_dsn: str) -> None:
    legacy = _sqlite(
        tmp_path,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY); PRAGMA writable_schema = 1;"
        "INSERT INTO sqlite_schema VALUES ('table', 'map', 'map', 0, 'CREATE VIRTUAL TABLE map USING absent(x)')",
    )
    with pytest.raises(ConfigurationError, match="no such module: absent"):
        await _found(legacy, postgres_dsn)
