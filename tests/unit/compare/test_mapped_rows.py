"""Rows that a step changed, where the target names, labels and measures them otherwise."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.record import RowChange
from harness.domain.rows import Cell, Column, Row, TableSchema
from harness.settings import RowsSettings, TableMap
from harness.wiring.rules import judged_mapping
from tests.builders.records import START, answer, session, step


def _schema(name: str, **columns: str) -> dict[str, TableSchema]:
    described = tuple(Column(name=each, declared_type=kind, is_nullable=True) for each, kind in columns.items())
    return {name: TableSchema(name=name, columns=described, key=("id",))}


_LEGACY = _schema("item", id="INTEGER", state="TEXT", cents="INTEGER", at="REAL", old="TEXT")
_TARGET = _schema("items", id="bigint", phase="text", price="numeric(10,2)", at="timestamptz", source="text")
_ROWS = RowsSettings(
    map={
        "item": TableMap(
            table="items",
            columns={"state": "phase", "cents": "price"},
            enums={"state": {"new": "NEW", "old": "OLD"}},
            units={"cents": "/ 100", "at": "epoch s"},
            added={"source": "= legacy"},
            dropped=["old"],
        )
    }
)
_RULES = Rules(today=date(2026, 2, 4), row_mapping=judged_mapping(_ROWS))
_MINE: Row = (1, "new", 1234, 0.0, "x")
_THEIRS: Row = (1, "NEW", Decimal("12.34"), datetime(1970, 1, 1, tzinfo=UTC), "legacy")


def _change(table: str, before: Row | None, after: Row | None) -> RowChange:
    return RowChange(table=table, key=(1,), before=before, after=after)


def _judge(mine: RowChange | None, theirs: RowChange | None) -> Any:
    one = step(
        answer({}),
        answer({}),
        legacy_changes=() if mine is None else (mine,),
        target_changes=() if theirs is None else (theirs,),
    )
    record = replace(session(one), legacy_schemas=_LEGACY, target_schemas=_TARGET)
    return judge_session(record, _RULES)[0]


def _with(row: Row, place: int, cell: Cell) -> Row:
    return (*row[:place], cell, *row[place + 1 :])


def test_rows_that_mean_the_same_agree() -> None:
    assert _judge(_change("item", None, _MINE), _change("items", None, _THEIRS)).differences == ()


@pytest.mark.parametrize(
    ("place", "cell", "column"),
    [(1, "OLD", "state"), (1, "new", "state"), (2, Decimal("12.35"), "cents"), (4, "other", "source")],
)
def test_a_cell_that_the_rule_does_not_give_is_a_difference(place: int, cell: Cell, column: str) -> None:
    found = _judge(_change("item", None, _MINE), _change("items", None, _with(_THEIRS, place, cell)))
    assert [each.pointer for each in found.differences] == [f"/item/1/{column}"]


def test_a_value_that_is_not_covered_is_a_difference() -> None:
    mine, theirs = _with(_MINE, 1, "lost"), _with(_THEIRS, 1, "lost")
    found = _judge(_change("item", None, mine), _change("items", None, theirs))
    assert [each.pointer for each in found.differences] == ["/item/1/state"]


def test_an_update_of_one_side_is_seen_at_its_column_alone() -> None:
    only_legacy = _judge(_change("item", _MINE, _with(_MINE, 1, "old")), None)
    assert [each.pointer for each in only_legacy.differences] == ["/item/1/state"]
    only_target = _judge(None, _change("items", _THEIRS, _with(_THEIRS, 2, Decimal(9))))
    assert [each.pointer for each in only_target.differences] == ["/item/1/cents"]


def test_a_clock_is_one_in_any_unit() -> None:
    seen = (START + timedelta(milliseconds=50)).timestamp()
    theirs = datetime.fromtimestamp(seen + 0.02, UTC)
    found = _judge(_change("item", None, _with(_MINE, 3, seen)), _change("items", None, _with(_THEIRS, 3, theirs)))
    assert found.differences == ()
    assert [each.pointer for each in found.noisy] == ["/item/1/at"]


def test_what_is_dropped_by_intent_is_not_looked_at() -> None:
    rules = Rules(today=date(2026, 2, 4), row_mapping=judged_mapping(RowsSettings(dropped=["item"])))
    one = step(answer({}), answer({}), legacy_changes=(_change("item", None, _MINE),))
    record = replace(session(one), legacy_schemas=_LEGACY, target_schemas=_TARGET)
    assert judge_session(record, rules)[0].differences == ()


_ID = "a0eebc999c0b4ef8bb6d6bb9bd380a11"
_SPELLED = {"id": "uuid", "at": "time without time zone", "facts": "jsonb"}


@pytest.mark.parametrize(
    ("at", "facts", "found"),
    [
        ("09:30:00", '{"a": 1.0, "b": 2}', []),
        ("09:30:00.5", '{"a": 1.0, "b": 2}', ["/item/a0eebc999c0b4ef8bb6d6bb9bd380a11/at"]),
        ("09:30:00", '{"a": 1, "b": 2}', ["/item/a0eebc999c0b4ef8bb6d6bb9bd380a11/facts"]),
    ],
)
def test_what_the_target_spells_in_its_own_way_is_compared_by_value(at: str, facts: str, found: list[str]) -> None:
    key: Cell = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    one = step(
        answer({}),
        answer({}),
        legacy_changes=(
            RowChange(
                table="item",
                key=(_ID,),
                before=(_ID, None, None),
                after=(_ID, "09:30:00.000000", '{"b":2,"a":1.0}'),
            ),
        ),
        target_changes=(RowChange(table="item", key=(key,), before=(key, None, None), after=(key, at, facts)),),
    )
    record = replace(
        session(one),
        legacy_schemas=_schema("item", id="CHAR(32)", at="TIME", facts="JSON"),
        target_schemas=_schema("item", **_SPELLED),
    )
    comparison = judge_session(record, Rules(today=date(2026, 2, 4)))[0]
    assert [each.pointer for each in comparison.differences] == found
