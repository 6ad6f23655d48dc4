"""Secrets in rows: cells of every type under secret columns, keys, and differences; what was equal stays equal."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from harness.adapters.exchange_lines import encode_session
from harness.domain.compare.judge import judge_session
from harness.domain.compare.rules import Rules
from harness.domain.difference import Difference, DifferenceKind
from harness.domain.migration import TableCarrier
from harness.domain.record import RowChange, SessionRecord, StepRecord
from harness.domain.record_redaction import redact_session
from harness.domain.redacted_rows import redact_row_difference
from harness.domain.redaction import Redactor
from harness.domain.row_difference import cell_difference, missing_column, missing_row
from harness.domain.row_plan import plan_table
from harness.domain.rows import Cell, Column, TableSchema
from tests.builders.records import answer, session, step

REDACTOR = Redactor(key=b"k" * 32)
RULES = Rules(today=date(2026, 2, 4))
SECRET = b"s3cr3t"


def _table(declared: str, *, key: tuple[str, ...] = ("id",), name: str = "api_key") -> dict[str, TableSchema]:
    columns = (("id", "INTEGER"), (name, declared), ("note", "TEXT"))
    schema = TableSchema(
        name="users",
        columns=tuple(Column(name=each, declared_type=kind, is_nullable=True) for each, kind in columns),
        key=key,
    )
    return {"users": schema}


def _session(one: StepRecord, legacy: dict[str, TableSchema], target: dict[str, TableSchema]) -> SessionRecord:
    return replace(session(one), legacy_schemas=legacy, target_schemas=target)


def _record(legacy: Cell, target: Cell, declared: tuple[str, str] = ("TEXT", "TEXT")) -> SessionRecord:
    changes = [(RowChange(table="users", key=(1,), before=None, after=(1, cell, None)),) for cell in (legacy, target)]
    one = step(answer({}), answer({}), "POST /users", legacy_changes=changes[0], target_changes=changes[1])
    return _session(one, _table(declared[0]), _table(declared[1]))


def _stored_cells(record: SessionRecord) -> list[Cell]:
    found = redact_session(record, REDACTOR).steps[0]
    return [change.after[1] for change in (*found.legacy_changes, *found.target_changes) if change.after]


@pytest.mark.parametrize(
    ("legacy", "target", "declared"),
    [
        (815, 815, ("INTEGER", "bigint")),
        (815, Decimal("815.00"), ("NUMERIC", "numeric")),
        (81.5, Decimal("81.500"), ("FLOAT", "numeric")),
        (1e300, 1e300, ("FLOAT", "double precision")),
        (float("nan"), Decimal("NaN"), ("FLOAT", "numeric")),
        (float("inf"), Decimal("Infinity"), ("FLOAT", "numeric")),
        (1, True, ("INTEGER", "boolean")),
        (0, False, ("BOOLEAN", "boolean")),
        (-0.0, 0.0, ("FLOAT", "double precision")),
        (SECRET, SECRET, ("BLOB", "bytea")),
        ("s3cr3t", "s3cr3t", ("TEXT", "text")),
        (None, None, ("TEXT", "text")),
        ("2026-02-04 12:00:00.000000", datetime(2026, 2, 4, 12), ("DATETIME", "timestamp")),
    ],
)
def test_cells_that_meant_the_same_still_do(legacy: Cell, target: Cell, declared: tuple[str, str]) -> None:
    record = _record(legacy, target, declared)
    stored = redact_session(record, REDACTOR)
    assert judge_session(stored, RULES) == judge_session(record, RULES)
    assert not judge_session(stored, RULES)[0].differences
    assert redact_session(stored, REDACTOR) == stored, "what is stored holds nothing more to replace"


@pytest.mark.parametrize(
    ("legacy", "target"),
    [
        (815, 816),
        (815, "815"),
        (815, 0),
        (815, None),
        (815, 81.5),
        (SECRET, b"other"),
        (SECRET, SECRET.decode()),
        (SECRET, None),
        (b"", None),
        ("s3cr3t", "other"),
    ],
)
def test_cells_that_differed_still_do_and_in_the_same_way(legacy: Cell, target: Cell) -> None:
    record = _record(legacy, target)
    found = [judge_session(each, RULES)[0].differences for each in (record, redact_session(record, REDACTOR))]
    assert [(each.pointer, each.kind) for each in found[0]] == [(each.pointer, each.kind) for each in found[1]] != []


@pytest.mark.parametrize("cell", [815, -815, 81.5, Decimal("815"), SECRET, "815"])
def test_a_secret_cell_of_any_type_is_not_stored(cell: Cell) -> None:
    record = _record(cell, cell)
    lines = encode_session(redact_session(record, REDACTOR))
    assert b"815" not in lines
    assert b"czNjcjN0" not in lines, "the BLOB in base64"
    assert all(isinstance(each, str) and each.startswith("[redacted:") for each in _stored_cells(record))


def test_a_number_is_marked_as_the_same_number_in_an_answer_is() -> None:
    mark = REDACTOR.data(b'{"api_key": 815}')[12:-1].decode().strip('"')
    assert _stored_cells(_record(815, Decimal("815.0"))) == [mark, mark]


def test_ids_of_sessions_that_are_numbers_tell_rows_apart_and_stay() -> None:
    rows = (RowChange(table="users", key=(1,), before=(1, 12, None), after=(1, "s3cr3t", "x")),)
    one = step(answer({}), answer({}), legacy_changes=rows)
    record = _session(one, _table("INTEGER", name="session_id"), {})
    change = redact_session(record, REDACTOR).steps[0].legacy_changes[0]
    assert (change.before, change.after) == ((1, 12, None), (1, REDACTOR.secret("s3cr3t"), "x"))


def test_a_document_in_a_blob_is_looked_through() -> None:
    rows = (RowChange(table="users", key=(1,), before=None, after=(1, None, b'{"pwd": "s3cr3t", "n": 1}')),)
    record = _session(step(answer({}), answer({}), legacy_changes=rows), _table("TEXT"), {})
    stored = redact_session(record, REDACTOR).steps[0].legacy_changes[0].after
    assert stored == (1, None, b'{"pwd": "%b", "n": 1}' % REDACTOR.secret("s3cr3t").encode())


@pytest.mark.parametrize("key", [("api_key",), ("id", "api_key"), ()])
def test_a_secret_that_is_part_of_the_key_is_replaced_there_too(key: tuple[str, ...]) -> None:
    row: tuple[Cell, ...] = (7, "s3cr3t", "x")
    schemas = _table("TEXT", key=key)
    names = schemas["users"].column_names
    cells = tuple(row[names.index(name)] for name in key) or row
    rows = (RowChange(table="users", key=cells, before=None, after=row),)
    changed = _session(step(answer({}), answer({}), legacy_changes=rows), schemas, {})
    assert SECRET not in encode_session(redact_session(changed, REDACTOR))
    found = cell_difference("users", cells, "note", DifferenceKind.VALUE, ("a", "b"))
    missing = missing_row("users", schemas["users"], cells, row)
    stored = [redact_row_difference(each, (schemas, {}), REDACTOR) for each in (found, missing)]
    assert "s3cr3t" not in repr(stored)
    assert [each.pointer.count("/") for each in stored] == [3, 2]
    assert REDACTOR.secret("s3cr3t") in stored[0].pointer
    assert (stored[0].legacy, stored[0].target) == ('"a"', '"b"')


def _difference(cells: tuple[Cell, Cell]) -> Difference:
    return cell_difference("users", (1,), "api_key", DifferenceKind.VALUE, cells)


@pytest.mark.parametrize("cells", [(815, 816), (SECRET, b"other"), (Decimal("815"), None), ("815", "816")])
def test_a_difference_of_secret_cells_shows_marks_that_differ(cells: tuple[Cell, Cell]) -> None:
    stored = redact_row_difference(_difference(cells), (_table("TEXT"), {}), REDACTOR)
    assert stored.pointer == "/users/1/api_key"
    assert "815" not in repr(stored)
    assert SECRET.hex() not in repr(stored)
    assert stored.legacy != stored.target


def test_a_column_that_is_missing_is_no_secret() -> None:
    found = missing_column("users", "api_key")
    assert redact_row_difference(found, (_table("TEXT"), {}), REDACTOR) == found


@pytest.mark.parametrize("cell", ["s3cr3t-too-long", "s3cr3t\0", SECRET, 815_815])
def test_a_secret_that_cannot_be_carried_is_not_told(cell: Cell) -> None:
    legacy, target = _table("TEXT")["users"], _table("varchar(8)", key=("api_key",))["users"]
    plan = plan_table(replace(legacy, key=("api_key",)), target)
    carrier = TableCarrier(plan=plan, enums={})
    assert carrier.carry([(1, cell, None)]) == b""
    told = str(carrier.refusals[0])
    assert told.startswith("table users, row api_key=(a secret), column api_key: ")
    assert "s3cr3t" not in told
    assert "815" not in told
