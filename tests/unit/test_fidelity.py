"""A certificate says what is the same, what differs, and what it says nothing of."""

from datetime import UTC, datetime

import pytest

from harness.domain.exchange import Response
from harness.domain.fidelity import ONLY_LOCAL, Behaviour, Certificate, read_parts

_SAME = Behaviour(name="status", shows="status", local="200", remote="200")
_APART = Behaviour(name="path", shows="json /event/rawPath", local='"/a|b"', remote='"/a%7Cb"')


def _certificate(*behaviours: Behaviour, remote_url: str | None = "https://example.test") -> Certificate:
    return Certificate(
        environment="dev",
        remote_url=remote_url,
        made_at=datetime(2026, 1, 31, 9, 0, tzinfo=UTC),
        commit="0123456789abcdef",
        notes=("cpu: unscaled",),
        behaviours=behaviours,
    )


def test_what_differs_comes_first_and_is_counted() -> None:
    text = _certificate(_SAME, _APART).as_markdown()
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert rows[0] == '| path | json /event/rawPath | `"/a│b"` | `"/a%7Cb"` | **differs** |'
    assert rows[1].endswith("| same |")
    assert "1 of 2 behaviours are the same." in text
    assert "2026-01-31 09:00 UTC" in text
    assert "cpu: unscaled" in text
    assert ONLY_LOCAL not in text


def test_against_a_second_local_cloud_it_says_that_it_says_nothing_of_aws() -> None:
    certificate = _certificate(_SAME, remote_url=None)
    assert certificate.statement.startswith(ONLY_LOCAL)
    assert ONLY_LOCAL in certificate.as_markdown()
    assert certificate.as_json()["statement"] == certificate.statement


@pytest.mark.parametrize(
    ("shows", "expected"),
    [
        ("status", "201"),
        ("header x-a", '["1", "2"]'),
        ("header x-none", "[]"),
        ("body", '"{\\"a\\": {\\"c\\": null, \\"b\\": 2.0}}"'),
        ("json /a/b", "2.0"),
        ("json /a/c", "null"),
        ("json /a/d", "(absent)"),
        ("keys /a", '["b", "c"]'),
    ],
)
def test_parts_of_an_answer_are_told_apart(shows: str, expected: str) -> None:
    response = Response(status=201, headers=(("X-A", "1"), ("x-a", "2")), body=b'{"a": {"c": null, "b": 2.0}}')
    assert read_parts([shows], response) == (expected,)


def test_no_answer_and_no_json_are_said() -> None:
    assert read_parts(["status", "body"], None) == ("(no answer)", "(no answer)")
    assert read_parts(["json /a"], Response(status=200, headers=(), body=b"<html>")) == ("(absent)",)
