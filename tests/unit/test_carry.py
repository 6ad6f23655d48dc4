"""The law of carrying: what is accepted means the same on the other side, everything else is refused."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.domain.carry import CannotCarry, carry_cell
from harness.domain.carry_column import carry_column
from harness.domain.compare_cells import compare_cells
from harness.domain.rows import Cell, Column

_ENUMS = {"phase": ("NEW", "OLD")}
_PAIRS = [
    ("INTEGER", "smallint"),
    ("INTEGER", "integer"),
    ("INTEGER", "bigint"),
    ("FLOAT", "double precision"),
    ("FLOAT", "real"),
    ("NUMERIC", "numeric"),
    ("NUMERIC", "numeric(12,4)"),
    ("NUMERIC", "double precision"),
    ("BOOLEAN", "boolean"),
    ("DATETIME", "timestamp without time zone"),
    ("DATETIME", "timestamp(3) without time zone"),
    ("DATETIME", "timestamp with time zone"),
    ("DATE", "date"),
    ("VARCHAR(5)", "character varying(5)"),
    ("TEXT", "text"),
    ("BLOB", "bytea"),
    ("VARCHAR(3)", "phase"),
]
_SQLITE_CELLS = st.one_of(
    st.none(),
    st.integers(min_value=-(2**63), max_value=2**63 - 1),
    st.sampled_from([0, 1, 2**53, 2**53 + 1, 2**31]),
    st.floats(allow_nan=False),
    st.sampled_from([-0.0, 0.1, 10.25, 1e-320, math.inf]),
    st.text(st.characters(exclude_categories=[]), max_size=8),
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ", timespec="microseconds")),
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ", timespec="milliseconds")),
    st.dates().map(str),
    st.sampled_from(["NEW", "2024-01-15 10:30:00+10:00", "2024-01-15 10:30:00.1234567", "2024-02-30"]),
    st.binary(max_size=8),
)


def _as_stored(cell: Cell, legacy_type: str) -> Cell:
    """The cell after SQLite's own conversions: a FLOAT column makes 1.0 of 1 and of '1'."""
    if isinstance(cell, str) and any("\ud800" <= letter <= "\udfff" for letter in cell):
        return cell  # only bytes cast to text get there, unconverted
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE TABLE t (v {legacy_type})")
        database.execute("INSERT INTO t VALUES (?)", (cell,))
        stored: Cell = database.execute("SELECT v FROM t").fetchone()[0]
        return stored


@given(_SQLITE_CELLS, st.sampled_from(_PAIRS))
@settings(max_examples=1000)
def test_what_is_carried_means_the_same(cell: Cell, pair: tuple[str, str]) -> None:
    legacy_type, target_type = pair
    cell = _as_stored(cell, legacy_type)
    column = Column(name="v", declared_type=target_type, is_nullable=True)
    try:
        carried = carry_cell(cell, column, _ENUMS)
    except CannotCarry as error:
        assert str(error)
        return
    assert compare_cells(cell, carried, legacy_type=legacy_type, target_type=target_type) is None


@pytest.mark.parametrize(
    ("cell", "target_type"),
    [
        (32768, "smallint"),
        (2**31, "integer"),
        (1.5, "integer"),
        ("1", "integer"),
        ("1.5", "double precision"),
        (2**53 + 1, "double precision"),
        (0.1, "real"),
        (1e300, "real"),
        (0.00001, "numeric(12,4)"),
        (1e9, "numeric(12,4)"),
        (math.inf, "numeric(12,4)"),
        (2, "boolean"),
        ("true", "boolean"),
        ("2024-01-15 10:30:00.1234567", "timestamp without time zone"),
        ("2024-01-15 10:30:00.1234", "timestamp(3) without time zone"),
        ("2024-01-15 10:30:00+10:00", "timestamp without time zone"),
        ("2024-01-15 10:30:00", "timestamp with time zone"),
        (1705314600, "timestamp without time zone"),
        ("2024-01-15 00:00:00", "date"),
        ("sixsix", "character varying(5)"),
        ("ab", "character(5)"),
        ("a\0b", "text"),
        ("\udcff", "text"),
        (5, "text"),
        (b"x", "text"),
        ("x", "bytea"),
        ("new", "phase"),
        ("{", "jsonb"),
        ("10.0.0.256", "inet"),
        ("1 day", "interval"),
    ],
)
def test_what_would_be_changed_is_refused(cell: Cell, target_type: str) -> None:
    column = Column(name="v", declared_type=target_type, is_nullable=True)
    with pytest.raises(CannotCarry):
        carry_cell(cell, column, _ENUMS)


def test_null_is_refused_where_a_value_is_demanded() -> None:
    with pytest.raises(CannotCarry, match="NULL"):
        carry_cell(None, Column(name="v", declared_type="text", is_nullable=False), {})


# As a NUMERIC column of SQLite has them: whole ones are integers.
_AMOUNTS = st.one_of(st.integers(-(2**64), 2**64), st.decimals(-(10**9), 10**9, places=2).map(float))
_DECLARED = st.sampled_from(
    [declared for _, declared in _PAIRS]
    + ["bigint", "text", "character varying(3)", "numeric(20,2)", "numeric(12,5)", "numeric(4,4)"]
)


@given(
    cells=st.one_of(
        st.lists(_SQLITE_CELLS, min_size=1, max_size=6),
        *(
            st.lists(kind, min_size=1, max_size=6)
            for kind in (st.text(max_size=5), st.integers(), st.floats(), _AMOUNTS)
        ),
    ),
    declared=_DECLARED,
    is_nullable=st.booleans(),
)
@settings(max_examples=1000)
@example(cells=[2.0**-14], declared="double precision", is_nullable=False)  # 0.00006 and 6e-05: two ways to write it
@example(cells=[1, 1e-5], declared="numeric(12,5)", is_nullable=False)
def test_a_column_is_carried_as_its_cells_are(cells: list[Cell], declared: str, is_nullable: bool) -> None:
    column = Column(name="v", declared_type=declared, is_nullable=is_nullable)
    carried = carry_column(tuple(cells), column, _ENUMS)
    # Beside a cell of another type each is looked at by itself.
    expected = [carry_column((cell, 0 if isinstance(cell, bytes) else b""), column, _ENUMS) for cell in cells]
    refused = dict(carried.refused)
    for position, (cell, one) in enumerate(zip(cells, expected, strict=True)):
        if _is_refused(cell, column):
            # A time that no calendar has may pass here, since reading it back tells.
            assert position in refused or (isinstance(cell, str) and declared.startswith(("timestamp", "date")))
        else:
            assert position not in refused
            assert _as_copied(carried.texts[position], declared) == _as_copied(one.texts[0], declared)


@pytest.mark.parametrize("cells", [(2**70,), (1.5, -(2**70)), (math.nan, 2**70), (2**70, math.nan)])
def test_a_number_of_more_than_64_bits_is_refused_among_others(cells: tuple[float, ...]) -> None:
    carried = carry_column(cells, Column(name="v", declared_type="numeric(12,4)", is_nullable=True), {})
    assert [position for position, _ in carried.refused] == [
        position for position, cell in enumerate(cells) if math.isnan(cell) or abs(cell) > 2**69
    ]


_READ_BY_COPY: dict[str, Callable[[str], object]] = {
    "timestamp": datetime.fromisoformat,
    "double": lambda text: float(text).hex(),  # tells -0.0 from 0.0
    "numeric": lambda text: format(Decimal(text), "f"),
    "boolean": {"0": False, "1": True, "f": False, "t": True}.__getitem__,
}


def _as_copied(text: str, declared: str) -> object:
    """What the database makes of it, which may be written in several ways: a time with zeros behind it, 1e-05."""
    if text == r"\N":
        return None
    kind, _, _ = declared.partition("(")
    return _READ_BY_COPY.get(kind.split()[0], str)(text)


def _is_refused(cell: Cell, column: Column) -> bool:
    try:
        carry_cell(cell, column, _ENUMS)
    except CannotCarry:
        return True
    return False
