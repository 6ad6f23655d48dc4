"""The row mapping: what it may say of two schemas, and what its rules make of a cell."""

from decimal import Decimal
from typing import Any

import pytest

from harness.domain.cell_rule import CellRule, NoCounterpart, is_unit
from harness.domain.cell_values import Family
from harness.domain.compare_rows import compare_states
from harness.domain.errors import ConfigurationError
from harness.domain.migration import Refusal, TableCarrier
from harness.domain.row_mapping import TableMapping
from harness.domain.row_mapping_check import check_tables
from harness.domain.row_plan import plan_table
from harness.domain.rows import Cell, Column, Row, TableRows, TableSchema


def _schema(name: str, columns: dict[str, str], key: str = "id", demanded: tuple[str, ...] = ()) -> TableSchema:
    described = tuple(
        Column(name=column, declared_type=kind, is_nullable=column not in demanded) for column, kind in columns.items()
    )
    return TableSchema(name=name, columns=described, key=(key,))


_LEGACY = {
    "item": _schema("item", {"id": "INTEGER", "state": "TEXT", "cents": "INTEGER", "at": "REAL", "old": "TEXT"}),
    "other": _schema("other", {"id": "INTEGER"}),
}
_TARGET = {
    "items": _schema(
        "items",
        {
            "id": "bigint",
            "phase": "text",
            "price": "numeric(10,2)",
            "at": "timestamp without time zone",
            "source": "text",
        },
        demanded=("source",),
    ),
    "other": _schema("other", {"id": "bigint"}),
}
_GOOD: dict[str, Any] = {
    "table": "items",
    "columns": {"state": "phase", "cents": "price"},
    "enums": {"state": {"new": "NEW", "0": "OLD"}},
    "units": {"cents": "/ 100", "at": "epoch s"},
    "added": {"source": "= legacy"},
    "dropped": ["old"],
}


def _mapping(**changed: Any) -> dict[str, TableMapping]:
    return {"item": TableMapping(**{**_GOOD, **changed})}


@pytest.mark.parametrize(
    ("changed", "said", "where", "hint"),
    [
        ({"table": "itemz"}, "a table that is not there", "table = 'itemz'", "its tables are: items, other"),
        ({"table": "other"}, "two tables of the legacy are mapped to one: item and other", "[rows.map]", "dropped"),
        ({"columns": {"stat": "phase"}}, "a column that is not there", "columns.stat", "id, state, cents, at, old"),
        ({"columns": {"state": "phaze"}}, "a column that is not there", "columns.state = 'phaze'", "id, phase, price"),
        ({"columns": {"state": "phase", "cents": "phase"}}, "mapped to one: cents and state", "item", "dropped"),
        ({"columns": {"state": "at"}}, "mapped to one: at and state to the target's at", "item", "dropped"),
        ({"enums": {"stat": {}}}, "a column that is not there", "enums.stat", "id, state"),
        ({"enums": {"state": {"*": "NEW"}}}, "only stand for itself", "enums.state", '"*" = "*"'),
        ({"enums": {"cents": {"1": "2"}}}, "both an enum and a unit", "cents", "one of the two"),
        ({"enums": {"id": {"1": "2", "2": "2"}}}, "two values of a key", "enums.id", "its own"),
        ({"units": {"cent": "/ 100"}}, "a column that is not there", "units.cent", "id, state"),
        ({"units": {"cents": "/ 0"}}, "the unit '/ 0' cannot be used", "units.cents", "epoch ms"),
        ({"units": {"cents": "+ 1"}}, "the unit '+ 1' cannot be used", "units.cents", "epoch ms"),
        ({"added": {"sauce": "null"}}, "a column that is not there", "added.sauce", "id, phase, price, at, source"),
        ({"added": {"source": "null"}}, "NOT NULL", "added.source", "LITERAL"),
        ({"added": {"at": "null"}}, "the legacy's at answers for", "added.at", "drop or rename"),
        ({"dropped": ["olt"]}, "a column that is not there", "dropped = 'olt'", "id, state"),
        ({"dropped": ["old", "cents"]}, "drops a column that it also maps", "cents", "dropped"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(changed: dict[str, Any], said: str, where: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        check_tables(_mapping(**changed), _LEGACY, _TARGET)
    assert said in raised.value.what
    assert where in raised.value.where
    assert hint in raised.value.hint


def test_a_mapping_of_no_table_names_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="not there") as raised:
        check_tables({"itim": TableMapping()}, _LEGACY, _TARGET)
    assert raised.value.where == "[rows.map.itim]"
    assert "item, other" in raised.value.hint


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        (CellRule(unit="/ 100", family=Family.DECIMAL), 1234, Decimal("12.34")),
        (CellRule(unit="/ 100", family=Family.FLOAT), 1234, 12.34),
        (CellRule(unit="* 1000", family=Family.INTEGER), 1.5, 1500),
        (CellRule(unit="* 0.1", family=Family.DECIMAL), 0.1, Decimal("0.01")),
        (CellRule(unit="epoch s", family=Family.MOMENT), 0, "1970-01-01 00:00:00.000000"),
        (CellRule(unit="epoch s", family=Family.MOMENT), 1700000000.1234567, "2023-11-14 22:13:20.123457"),
        (CellRule(unit="epoch ms", family=Family.INSTANT), 1_700_000_000_123, "2023-11-14 22:13:20.123000+00:00"),
        (CellRule(unit="epoch us", family=Family.MOMENT), -1, "1969-12-31 23:59:59.999999"),
        (CellRule(unit="epoch s", family=Family.DATE), 86_400, "1970-01-02"),
        (CellRule(unit="utc", family=Family.INSTANT), "2026-02-04 12:30:00.5", "2026-02-04 12:30:00.500000+00:00"),
        (CellRule(unit="utc", family=Family.MOMENT), "2026-02-04T12:30:00+10:00", "2026-02-04 02:30:00.000000"),
        (
            CellRule(unit="zone Australia/Sydney", family=Family.INSTANT),
            "2026-02-04 12:30:00",
            "2026-02-04 01:30:00.000000+00:00",
        ),
        (
            CellRule(unit="zone Australia/Sydney", family=Family.MOMENT),
            "2026-07-04 12:30:00",
            "2026-07-04 02:30:00.000000",
        ),
        (CellRule(labels={"0": "NEW"}), 0, "NEW"),
        (CellRule(labels={"a": "b", "*": "*"}), "c", "c"),
        (CellRule(labels={"a": 1}), None, None),
    ],
)
def test_a_rule_converts_exactly(rule: CellRule, cell: Cell, expected: Cell) -> None:
    found = rule.apply(cell)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("rule", "cell", "said"),
    [
        (CellRule(labels={"a": "b"}), "c", '"c" is not covered by the mapping\'s enum'),
        (CellRule(labels={"a": "b"}), "A", "not covered"),
        (CellRule(labels={"*": "*", "a": "b"}, unit=""), "*", ""),
        (CellRule(unit="/ 3", family=Family.FLOAT), 1, "has no end"),
        (CellRule(unit="/ 100", family=Family.INTEGER), 150, "no whole number"),
        (CellRule(unit="/ 100"), "many", "is no number"),
        (CellRule(unit="epoch s", family=Family.MOMENT), 1e300, "beyond the years"),
        (CellRule(unit="epoch s", family=Family.MOMENT), float("inf"), "no moment"),
        (CellRule(unit="utc", family=Family.INSTANT), "noon", "is no time"),
        (CellRule(unit="utc", family=Family.INSTANT), 0, "is no time"),
        (CellRule(unit="zone Australia/Sydney", family=Family.INSTANT), "2026-04-05 02:30:00", "twice or never"),
        (CellRule(unit="zone Australia/Sydney", family=Family.INSTANT), "2026-10-04 02:30:00", "twice or never"),
        (CellRule(unit="zone Asia/Tokyo", family=Family.INSTANT), "0001-01-01 00:00:00", "beyond the years"),
    ],
)
def test_what_has_no_counterpart_is_refused(rule: CellRule, cell: Cell, said: str) -> None:
    if not said:
        assert rule.apply(cell) == cell
        return
    with pytest.raises(NoCounterpart, match=said):
        rule.apply(cell)


@pytest.mark.parametrize(
    "unit", ["", "x 2", "* -1", "/ 0.0", "epoch", "* 1e3", "zone", "zone Nowhere/At_All", "zone ../utc", "UTC"]
)
def test_other_units_are_none(unit: str) -> None:
    assert not is_unit(unit)


def _states(legacy: Row, target: Row) -> list[str]:
    ours = {
        "item": TableRows(schema=_LEGACY["item"], rows=(legacy,)),
        "other": TableRows(schema=_LEGACY["other"], rows=()),
    }
    theirs = {
        "items": TableRows(schema=_TARGET["items"], rows=(target,)),
        "other": TableRows(schema=_TARGET["other"], rows=()),
    }
    return [each.pointer for each in compare_states(ours, theirs, mapping=_mapping())]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ((1, "NEW", Decimal("12.34"), "1970-01-01 00:00:01.000000", "legacy"), []),
        ((1, "new", Decimal("12.34"), "1970-01-01 00:00:01.000000", "legacy"), ["/item/1/state"]),
        ((1, "NEW", Decimal("1234"), "1970-01-01 00:00:01.000000", "legacy"), ["/item/1/cents"]),
        ((1, "NEW", Decimal("12.34"), "1970-01-01 10:00:01.000000", "legacy"), ["/item/1/at"]),
        ((1, "NEW", Decimal("12.34"), "1970-01-01 00:00:01.000000", "else"), ["/item/1/source"]),
    ],
)
def test_mapped_rows_are_compared_in_the_targets_terms(target: Row, found: list[str]) -> None:
    assert _states((1, "new", 1234, 1.0, "gone"), target) == found


def test_a_value_that_is_not_covered_is_a_difference_even_where_both_hold_it() -> None:
    assert _states((1, "lost", 1, 1.0, None), (1, "lost", Decimal("0.01"), "1970-01-01 00:00:01.000000", "legacy")) == [
        "/item/1/state"
    ]


def test_every_value_that_cannot_be_carried_is_told_and_few_are_kept() -> None:
    told: list[Refusal] = []
    plan = plan_table(_LEGACY["item"], _TARGET["items"], _mapping()["item"])
    carrier = TableCarrier(plan=plan, enums={}, on_refusal=told.append)
    assert carrier.carry([(number, "lost", 1, 0.0, None) for number in range(12_000)]) == b""
    assert (len(told), carrier.refused, len(carrier.refusals)) == (12_000, 12_000, 5)
    assert str(told[-1]).startswith('table item, row id=11999, column state: the value "lost" is not covered')
