"""Cells, rows and states of the two databases compared by meaning and type."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.cell_values import Family, family_of, parse_moment
from harness.domain.compare_cells import compare_cells
from harness.domain.compare_rows import compare_states, diff_states
from harness.domain.difference import DifferenceKind
from harness.domain.errors import ConfigurationError
from harness.domain.pointer import parse_pointer
from harness.domain.row_mapping import TableMapping
from harness.domain.rows import Cell, Column, DatabaseState, Row, TableRows, TableSchema

_MOMENT = datetime(2024, 1, 15, 10, 30)
_TYPE, _VALUE, _REPRESENTATION = DifferenceKind.TYPE, DifferenceKind.VALUE, DifferenceKind.REPRESENTATION


def _table(name: str, columns: dict[str, str], rows: list[Row], key: tuple[str, ...] = ("id",)) -> TableRows:
    described = tuple(Column(name=column, declared_type=kind, is_nullable=True) for column, kind in columns.items())
    return TableRows(schema=TableSchema(name=name, columns=described, key=key), rows=tuple(rows))


def _state(rows: list[Row], *, value_type: str = "TEXT") -> DatabaseState:
    return {"t": _table("t", {"id": "INTEGER", "v": value_type}, rows)}


@pytest.mark.parametrize(
    ("legacy", "legacy_type", "target", "target_type"),
    [
        (None, "TEXT", None, "text"),
        (0, "BOOLEAN", False, "boolean"),
        (1, "BOOLEAN", True, "boolean"),
        ("2024-01-15 10:30:00.000000", "DATETIME", _MOMENT, "timestamp without time zone"),
        ("2024-01-15 10:30:00", "DATETIME", _MOMENT, "timestamp without time zone"),
        ("2024-01-15T10:30:00", "DATETIME", _MOMENT, "timestamp without time zone"),
        ("2024-01-15", "DATETIME", datetime(2024, 1, 15), "timestamp without time zone"),
        ("2024-01-15 10:30:00.500000000", "DATETIME", datetime(2024, 1, 15, 10, 30, 0, 500000), "timestamp"),
        ("2024-01-15 10:30:00+10:00", "DATETIME", datetime(2024, 1, 15, 0, 30, tzinfo=UTC), "timestamp with time zone"),
        ("2024-01-15", "DATE", date(2024, 1, 15), "date"),
        (0.1, "FLOAT", 0.1, "double precision"),
        (math.inf, "FLOAT", math.inf, "double precision"),
        (math.nan, "FLOAT", math.nan, "double precision"),
        (10.0, "FLOAT", Decimal("10.0000"), "numeric(12,4)"),
        (10, "NUMERIC", Decimal("10.00"), "numeric(12,4)"),
        (math.inf, "NUMERIC", Decimal("Infinity"), "numeric"),
        ("BUY", "VARCHAR(4)", "BUY", "tradedirection"),
        (b"\x00\xff", "BLOB", b"\x00\xff", "bytea"),
        (2**63 - 1, "INTEGER", 2**63 - 1, "bigint"),
    ],
)
def test_cells_that_mean_the_same_are_equal(legacy: Cell, legacy_type: str, target: Cell, target_type: str) -> None:
    assert compare_cells(legacy, target, legacy_type=legacy_type, target_type=target_type) is None


@pytest.mark.parametrize(
    ("legacy", "legacy_type", "target", "target_type", "kind"),
    [
        (None, "TEXT", "", "text", _TYPE),
        (None, "BOOLEAN", False, "boolean", _TYPE),
        ("", "BOOLEAN", False, "boolean", _TYPE),
        (2, "BOOLEAN", True, "boolean", _TYPE),
        (1, "INTEGER", True, "boolean", _TYPE),
        (0, "BOOLEAN", True, "boolean", _VALUE),
        (10, "INTEGER", 10.0, "double precision", _REPRESENTATION),
        (10.0, "FLOAT", 10, "integer", _REPRESENTATION),
        (0.1, "FLOAT", 0.10000000149011612, "real", _VALUE),
        (-0.0, "FLOAT", 0.0, "double precision", _VALUE),
        (math.inf, "FLOAT", -math.inf, "double precision", _VALUE),
        (-math.inf, "NUMERIC", Decimal("Infinity"), "numeric", _VALUE),
        (None, "FLOAT", math.nan, "double precision", _TYPE),
        (0.1, "FLOAT", Decimal("0.1000000000000000055511151231257827"), "numeric", _VALUE),
        ("1", "INTEGER", 1, "integer", _TYPE),
        ("10.5", "FLOAT", 10.5, "double precision", _TYPE),
        ("BHP", "TEXT", "BHP ", "text", _VALUE),
        ("Straße", "TEXT", "Strasse", "text", _VALUE),
        ("é", "TEXT", "e\u0301", "text", _VALUE),
        (b"BHP", "TEXT", "BHP", "text", _TYPE),
        ("OPEN", "VARCHAR(9)", "open", "tradestatus", _VALUE),
        ("2024-01-15 10:30:00.123456", "DATETIME", datetime(2024, 1, 15, 10, 30, 0, 123000), "timestamp", _VALUE),
        ("2024-01-15 10:30:00.1234567", "DATETIME", datetime(2024, 1, 15, 10, 30, 0, 123456), "timestamp", _TYPE),
        ("2024-01-15 10:30:00", "DATETIME", datetime(2024, 1, 15, 10, 30, tzinfo=UTC), "timestamptz", _TYPE),
        ("2024-01-15 10:30:00", "TEXT", _MOMENT, "timestamp", _TYPE),
        ("2024-02-30 10:30:00", "DATETIME", _MOMENT, "timestamp", _TYPE),
        ("2024-01-16", "DATE", date(2024, 1, 15), "date", _VALUE),
    ],
)
def test_cells_that_differ_are_told_apart(
    legacy: Cell, legacy_type: str, target: Cell, target_type: str, kind: DifferenceKind
) -> None:
    assert compare_cells(legacy, target, legacy_type=legacy_type, target_type=target_type) is kind


def test_families_are_found_in_both_spellings() -> None:
    assert family_of("timestamp(3) with time zone") is Family.INSTANT
    assert family_of("timestamp without time zone") is Family.MOMENT
    assert family_of("interval") is Family.OTHER
    assert family_of("integer[]") is Family.OTHER
    assert family_of("INTEGER") is family_of("bigint") is Family.INTEGER
    assert family_of("character varying(50)") is family_of("VARCHAR(50)") is Family.OTHER


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59, 59)))
def test_a_stored_time_is_read_back_exactly(moment: datetime) -> None:
    # Not strftime: it does not pad years below 1000.
    assert parse_moment(moment.isoformat(sep=" ", timespec="microseconds")) == moment


_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(st.characters()),
    st.binary(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
)
_TYPES = st.sampled_from(["", "BOOLEAN", "FLOAT", "DATETIME", "DATE", "NUMERIC", "INTEGER", "timestamptz"])


@given(_CELLS, _TYPES)
def test_a_cell_equals_itself(cell: Cell, declared: str) -> None:
    assert compare_cells(cell, cell, legacy_type=declared, target_type=declared) is None


@given(_CELLS, _CELLS, _TYPES, _TYPES)
def test_comparing_cells_is_symmetric(one: Cell, other: Cell, first: str, second: str) -> None:
    forth = compare_cells(one, other, legacy_type=first, target_type=second)
    back = compare_cells(other, one, legacy_type=second, target_type=first)
    assert forth == back


@given(st.lists(_CELLS, max_size=20), _TYPES)
def test_a_state_equals_itself(cells: list[Cell], declared: str) -> None:
    state = _state([(number, cell) for number, cell in enumerate(cells)], value_type=declared)
    assert compare_states(state, state) == ()
    assert diff_states(state, state) == ()


def test_differences_point_at_table_key_and_column() -> None:
    legacy = {"t": _table("t", {"a": "TEXT", "b": "INTEGER", "v": "TEXT"}, [("x/y", 1, "old")], key=("a", "b"))}
    target = {"t": _table("t", {"a": "text", "b": "integer", "v": "text"}, [("x/y", 1, "new")], key=("a", "b"))}
    (difference,) = compare_states(legacy, target)
    assert difference.pointer == '/t/["x~1y",1]/v'
    assert parse_pointer(difference.pointer) == ("t", '["x/y",1]', "v")
    assert (difference.legacy, difference.target) == ('"old"', '"new"')


def test_keys_with_separators_do_not_collide() -> None:
    columns = {"a": "TEXT", "b": "TEXT"}
    legacy = {"t": _table("t", columns, [("x,y", "z"), ("x", "y,z")], key=("a", "b"))}
    target = {"t": _table("t", columns, [("x,y", "z")], key=("a", "b"))}
    (difference,) = compare_states(legacy, target)
    assert (difference.kind, difference.pointer) == (DifferenceKind.MISSING, '/t/["x","y,z"]')


def test_missing_and_extra_rows_are_told() -> None:
    found = compare_states(_state([(1, "a"), (2, "b")]), _state([(2, "b"), (3, "c")]))
    assert [(each.kind, each.pointer) for each in found] == [
        (DifferenceKind.MISSING, "/t/1"),
        (DifferenceKind.EXTRA, "/t/3"),
    ]
    assert found[0].legacy == '{"id":1,"v":"a"}'
    assert found[0].target is None


def test_a_doubled_row_is_extra_where_there_is_no_key() -> None:
    rows: list[Row] = [("a", 1), ("a", 1)]
    columns = {"v": "TEXT", "n": "INTEGER"}
    legacy = {"t": _table("t", columns, rows[:1], key=())}
    target = {"t": _table("t", columns, rows, key=())}
    (difference,) = compare_states(legacy, target)
    assert (difference.kind, difference.pointer) == (DifferenceKind.EXTRA, '/t/["a",1]')


def test_a_mapped_key_aligns_rows_and_is_not_a_difference() -> None:
    legacy, target = _state([(110, "a")]), _state([(111, "a")])
    assert len(compare_states(legacy, target)) == 2
    assert compare_states(legacy, target, key_map=lambda _table, key: (111,) if key == (110,) else key) == ()


def test_a_table_of_the_target_alone_differs_only_by_its_rows() -> None:
    legacy = _state([])
    empty = {**legacy, "market_data": _table("market_data", {"id": "INTEGER"}, [])}
    filled = {**legacy, "market_data": _table("market_data", {"id": "INTEGER"}, [(7,)])}
    assert compare_states(legacy, empty) == ()
    assert [each.pointer for each in compare_states(legacy, filled)] == ["/market_data/7"]
    assert [each.kind for each in compare_states(empty, legacy)] == [DifferenceKind.MISSING]
    assert compare_states(legacy, filled, mapping={"market_data": TableMapping(is_added=True)}) == ()


def test_columns_of_the_older_generation_are_expected_as_the_migration_fills_them() -> None:
    legacy = {"t": _table("t", {"id": "INTEGER", "created_at": "DATETIME"}, [(1, "2024-01-15 10:30:00")])}
    columns = (
        Column(name="id", declared_type="integer", is_nullable=False),
        Column(name="created_at", declared_type="timestamp", is_nullable=True),
        Column(name="known_at", declared_type="timestamp", is_nullable=False, default="now()"),
        Column(name="event_at", declared_type="timestamp", is_nullable=True),
    )

    def target(known: Cell, event: Cell) -> DatabaseState:
        schema = TableSchema(name="t", columns=columns, key=("id",))
        return {"t": TableRows(schema=schema, rows=((1, _MOMENT, known, event),))}

    assert compare_states(legacy, target(_MOMENT, None)) == ()
    wrong = compare_states(legacy, target(datetime(2025, 1, 1), datetime(2025, 1, 1)))
    assert [each.pointer for each in wrong] == ["/t/1/known_at", "/t/1/event_at"]


def test_a_lost_column_is_a_difference() -> None:
    target = {"t": _table("t", {"id": "integer"}, [(1,)])}
    (difference,) = compare_states(_state([(1, "a")]), target)
    assert (difference.kind, difference.pointer) == (DifferenceKind.MISSING, "/t/v")


def test_mapping_renames_tables_columns_and_enums() -> None:
    target = {"items": _table("items", {"id": "integer", "state": "state", "extra": "integer"}, [(1, "open", 5)])}
    mapping = {
        "t": TableMapping(table="items", columns={"v": "state"}, enums={"v": {"OPEN": "open"}}, added={"extra": "= 5"})
    }
    assert compare_states(_state([(1, "OPEN")]), target, mapping=mapping) == ()
    assert len(compare_states(_state([(1, "SHUT")]), target, mapping=mapping)) == 1


def test_a_mapping_to_an_absent_column_is_refused() -> None:
    mapping = {"t": TableMapping(columns={"v": "nowhere"})}
    with pytest.raises(ConfigurationError, match="nowhere"):
        compare_states(_state([]), _state([]), mapping=mapping)


def test_diff_tells_inserts_updates_and_deletes() -> None:
    before, after = _state([(1, "a"), (2, "b"), (3, "c")]), _state([(2, "B"), (3, "c"), (4, "d")])
    changes = {change.key: (change.before, change.after) for change in diff_states(before, after)}
    assert changes == {(1,): ((1, "a"), None), (2,): ((2, "b"), (2, "B")), (4,): (None, (4, "d"))}


@pytest.mark.parametrize(("old", "new"), [(1, 1.0), (1, True), (0.0, -0.0), (None, ""), ("1", 1), (b"a", "a")])
def test_diff_sees_a_change_of_type(old: Cell, new: Cell) -> None:
    assert len(diff_states(_state([(1, old)]), _state([(1, new)]))) == 1
