"""Saved values are filled into requests and taken from answers."""

import pytest

from harness.domain.session import Step
from harness.domain.substitution import UnsavedValueError, extract_saves, fill_request, step_placeholders


def _step(**changes: object) -> Step:
    fields: dict[str, object] = {"n": 1, "name": "s", "method": "GET", "url": "/"} | changes
    return Step(**fields)  # type: ignore[arg-type]


def test_values_are_filled_into_url_headers_and_body() -> None:
    step = _step(url="/t/{{id}}?q={{q}}", headers=(("X-Id", "{{id}}"),), body='{"id": {{id}}}')
    request = fill_request(step, {"id": 7, "q": "a b&c"})
    assert request.url == "/t/7?q=a%20b%26c"
    assert request.headers == (("X-Id", "7"),)
    assert request.body == b'{"id": 7}'


def test_values_are_escaped_within_a_json_body() -> None:
    step = _step(headers=(("Content-Type", "application/json"),), body='{"id":"{{id}}"}')
    assert fill_request(step, {"id": 'a"\n'}).body == b'{"id":"a\\"\\n"}'


def test_a_value_is_not_filled_a_second_time() -> None:
    assert fill_request(_step(url="/{{a}}", body="{{a}}"), {"a": "{{b}}", "b": "no"}).body == b"{{b}}"


def test_an_unsaved_name_is_refused() -> None:
    with pytest.raises(UnsavedValueError, match="nope"):
        fill_request(_step(url="/{{nope}}"), {})


def test_lone_surrogates_keep_their_three_bytes() -> None:
    assert fill_request(_step(body="\ud800"), {}).body == b"\xed\xa0\x80"


def test_no_body_stays_no_body() -> None:
    assert fill_request(_step(), {}).body is None


def test_saves_what_the_answer_has_and_leaves_out_the_rest() -> None:
    step = _step(save=(("id", "/id"), ("first", "/list/0/x"), ("none", "/nope")))
    assert extract_saves(step, {"id": 5, "list": [{"x": None}]}) == {"id": 5, "first": None}


def test_names_are_listed_once_in_order_of_use() -> None:
    assert step_placeholders(_step(url="/{{b}}/{{a}}", body="{{a}} {{c}}")) == ("b", "a", "c")
