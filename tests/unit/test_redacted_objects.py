"""Differences between objects tell no value of a secret column, and still that there is one."""

from harness.domain.difference import Difference, DifferenceKind, Facet
from harness.domain.redacted_objects import redact_object_difference
from harness.domain.redaction import Redactor

REDACTOR = Redactor(key=b"k" * 32)


def _difference(pointer: str, legacy: str | None, target: str | None) -> Difference:
    return Difference(facet=Facet.OBJECT, pointer=pointer, kind=DifferenceKind.VALUE, legacy=legacy, target=target)


def test_values_of_a_secret_column_become_marks_that_differ_as_they_did():
    found = redact_object_difference(_difference("/users.parquet/api_key/3", "'hunter2'", "'hunter3'"), REDACTOR)
    assert "hunter" not in f"{found.legacy}{found.target}"
    assert found.legacy != found.target
    again = redact_object_difference(_difference("/users.parquet/api_key/4", "'hunter2'", "null"), REDACTOR)
    assert (again.legacy, again.target) == (found.legacy, "null")


def test_everything_else_stays():
    for difference in (
        _difference("/users.parquet/name/3", "'a'", "'b'"),
        _difference("/users.parquet/api_key", "string", "int64"),
        _difference("/password", "3 rows, 1 columns", None),
        _difference("/users.parquet//3", "3", None),
    ):
        assert redact_object_difference(difference, REDACTOR) == difference
