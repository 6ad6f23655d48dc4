"""Keys that mean something must agree; keys that a side generated are its own."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from harness.domain.compare.judge import judge_session
from harness.domain.compare.rekey import may_name_one_row
from harness.domain.compare.rules import Rules
from harness.domain.difference import Difference, DifferenceKind, Outcome
from harness.domain.record import RowChange
from harness.domain.rows import Cell, Column, TableSchema
from tests.builders.records import answer, session, step

RULES = Rules(today=date(2026, 2, 4))
DONE = answer({"ok": True}, 201)


def _schema(name: str, key: int, *columns: tuple[str, str]) -> TableSchema:
    made = tuple(Column(name=name, declared_type=kind, is_nullable=True) for name, kind in columns)
    return TableSchema(name=name, columns=made, key=tuple(column.name for column in made[:key]))


WATCHED = _schema("watched", 1, ("ticker", "TEXT"), ("note", "TEXT"))
PRICES = _schema("prices", 2, ("ticker", "TEXT"), ("day", "DATE"), ("close", "FLOAT"))
LINES = _schema("lines", 2, ("order_id", "INTEGER"), ("line", "INTEGER"), ("item", "TEXT"))
SCHEMAS = {schema.name: schema for schema in (WATCHED, PRICES, LINES)}


def _inserted(schema: TableSchema, *rows: tuple[Cell, ...]) -> tuple[RowChange, ...]:
    return tuple(RowChange(table=schema.name, key=row[: len(schema.key)], before=None, after=row) for row in rows)


def _judge(mine: tuple[RowChange, ...], theirs: tuple[RowChange, ...]) -> tuple[Difference, ...]:
    record = session(step(DONE, DONE, "POST /x", legacy_changes=mine, target_changes=theirs))
    record = replace(record, legacy_schemas=SCHEMAS, target_schemas=SCHEMAS)
    return judge_session(record, RULES)[0].differences


@pytest.mark.parametrize("other", ["spy", "SP", "SPYX", "QQQ"])
def test_a_word_stored_as_another_is_a_difference(other: str) -> None:
    (found,) = _judge(_inserted(WATCHED, ("SPY", "x")), _inserted(WATCHED, (other, "x")))
    assert found.pointer == "/watched/SPY/ticker" and found.kind is DifferenceKind.VALUE


def test_a_generated_text_key_is_each_side_s_own() -> None:
    for mine, theirs in (("ORD-9", "ORD-10"), ("0a1b2c3d4e5f6071", "ffee0011deadbee0")):
        assert not _judge(_inserted(WATCHED, (mine, "x")), _inserted(WATCHED, (theirs, "x")))


def test_composite_keys_are_compared_part_by_part() -> None:
    days = ("2026-01-02", "2026-01-03")
    mine = _inserted(PRICES, *(("GLD", day, 1.5) for day in days))
    assert not _judge(mine, _inserted(PRICES, *(("GLD", day, 1.5) for day in days)))
    assert not _judge(mine, _inserted(PRICES, *(("GLD", date.fromisoformat(day), 1.5) for day in days)))
    (found,) = _judge(mine, _inserted(PRICES, ("GLD", days[1], 1.5), ("GLD", "2026-01-09", 1.5)))
    assert found.pointer == "/prices/GLD,2026-01-02/day", "the rows that agree are paired first"
    assert len(_judge(mine, _inserted(PRICES, *(("gld", day, 1.5) for day in days)))) == 2


def test_in_a_composite_key_only_the_id_is_each_side_s_own() -> None:
    mine = _inserted(LINES, (7, 1, "a"), (7, 2, "b"))
    assert not _judge(mine, _inserted(LINES, (8, 1, "a"), (8, 2, "b")))
    (found,) = _judge(mine, _inserted(LINES, (8, 1, "a"), (8, 3, "b")))
    assert found.pointer == "/lines/7,2/line"


def test_an_answer_s_own_id_is_no_word() -> None:
    def outcome(mine: Any, theirs: Any) -> Outcome:
        pair = (answer({"id": mine}, 201), answer({"id": theirs}, 201))
        return judge_session(session(step(*pair, "POST /x"), compares_state=False), RULES)[0].outcome

    assert outcome(5, 6) is Outcome.EQUIVALENT
    assert outcome("ORD-5", "ORD-6") is Outcome.EQUIVALENT
    assert outcome("SPY", "spy") is Outcome.DIFFERENT
    assert outcome(5, "5") is Outcome.DIFFERENT


@pytest.mark.parametrize(
    ("mine", "theirs", "may"),
    [
        (1, 2, True),
        (1, True, False),
        (1, "1", False),
        ("TRD-20260204-0101", "TRD-20260205-0007", True),
        ("5f3c2a9e", "00bada55", True),
        ("5f3c2a9e-0000-4000-8000-000000000001", "6f3c2a9e-0000-4000-9000-00000000000a", True),
        ("V1StGXR8_Z5jdHi6B-myT", "9bOoAmmzzq_Dk2cV-4iP1", True),
        ("momentum", "reversal", False),
        ("hierarchical-risk", "hierarchical_risk", False),
    ],
)
def test_which_keys_may_name_one_row(mine: Any, theirs: Any, may: bool) -> None:
    assert may_name_one_row(mine, theirs) is may_name_one_row(theirs, mine) is may
