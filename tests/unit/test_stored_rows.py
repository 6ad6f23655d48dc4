"""Rows that are written and read a line at a time are those that were added, or the old ones."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.adapters.stored_rows import RowWriter, StoredRows
from harness.domain.errors import EvidenceError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    number: int
    text: str = ""


ROWS = tuple(_Row(number=n, text="a\nb\u2028") for n in range(5))


def test_rows_come_back_as_often_as_they_are_gone_through(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with RowWriter(path) as writer:
        writer.add(ROWS[:2])
        writer.add(())
        writer.add(ROWS[2:])
        writer.replace()
    stored = StoredRows(path, _Row, writer.count)
    assert tuple(stored) == tuple(stored) == ROWS
    assert len(stored) == 5
    assert ROWS[4] in stored and _Row(number=9) not in stored
    assert [each.name for each in tmp_path.iterdir()] == ["rows.jsonl"]


def test_what_was_not_put_in_place_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), RowWriter(path) as writer:
        writer.add(ROWS)
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_damaged_line_is_an_evidence_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"number":1}\n{"number":"x"}\n')
    with pytest.raises(EvidenceError, match="cannot be read back") as raised:
        tuple(StoredRows(path, _Row, 2))
    assert raised.value.where == str(path)
