"""Values of earlier answers in later requests become placeholders that fill in again to the same request."""

from typing import Any

import pytest

from harness.domain.description import Place
from harness.domain.linking import Use, find_value, link_step
from harness.domain.session import Step
from harness.domain.substitution import fill_request

JSON = (("content-type", "application/json"),)


def use(place: Place, *path: str, value: Any, name: str = "a") -> Use:
    return Use(place=place, path=path, value=value, placeholder=name)


def request(url: str = "/x", body: str | None = None, headers: tuple[tuple[str, str], ...] = JSON) -> Step:
    return Step(n=1, name="", method="POST", url=url, headers=headers, body=body)


@pytest.mark.parametrize(
    ("step", "template", "found", "expected"),
    [
        (request("/a/7/b/7?c=7"), "/a/{id}/b/{other}", use(Place.PATH, "other", value=7), "/a/7/b/{{a}}?c=7"),
        (request("/a/x%2Fy"), "/a/{id}", use(Place.PATH, "id", value="x/y"), "/a/{{a}}"),
        (request("/a.b/7"), "/a.b/{id}", use(Place.PATH, "id", value=7), "/a.b/{{a}}"),
        (request("/a?b=7&c=7&c=8"), "/a", use(Place.QUERY, "c", value=7), "/a?b=7&c={{a}}&c=8"),
    ],
)
def test_a_value_in_the_address_is_replaced_only_where_the_parameter_is(
    step: Step, template: str, found: Use, expected: str
):
    linked, found_uses = link_step(step, template, (found,))
    assert (linked.url, found_uses) == (expected, (found,))


@pytest.mark.parametrize(
    ("place", "path"), [(Place.PATH, "id"), (Place.QUERY, "id"), (Place.HEADER, "id"), (Place.BODY, "id")]
)
def test_another_value_is_left_as_it_is(place: Place, path: str):
    step = request("/a/7?id=7", '{"id":7}', (*JSON, ("id", "7")))
    assert link_step(step, "/a/{id}", (use(place, path, value=8),)) == (step, ())


def test_numbers_and_texts_in_a_body_stay_what_they_are():
    step = request(body='{"name":"x","owner":{"id":7,"code":"7"},"ids":[7]}')
    uses = (
        use(Place.BODY, "owner", "id", value=7, name="n"),
        use(Place.BODY, "owner", "code", value="7", name="c"),
        use(Place.BODY, "name", value="x", name="t"),
    )
    linked, found = link_step(step, "/x", uses)
    assert linked.body == '{"name":"{{t}}","owner":{"id":{{n}},"code":"{{c}}"},"ids":[7]}'
    assert set(found) == set(uses)
    filled = fill_request(linked, {"n": 8, "c": "9", "t": 'q"'})
    assert filled.body == b'{"name":"q\\"","owner":{"id":8,"code":"9"},"ids":[7]}'


def test_a_body_that_is_no_json_is_left_as_it_is():
    step = request(body="id=7")
    assert link_step(step, "/x", (use(Place.BODY, "id", value=7),)) == (step, ())


@pytest.mark.parametrize(
    ("tokens", "value", "expected"),
    [
        (("id",), 5, None),
        (("*", "id"), 5, "/1/id"),
        (("*", "id"), "5", "/1/id"),
        (("0", "id"), 4, "/0/id"),
        (("*", "no"), 4, None),
        (("*", "sub", "*"), "b", "/1/sub/k~1"),
    ],
)
def test_the_first_place_with_the_value_is_found(tokens: tuple[str, ...], value: Any, expected: str | None):
    document = [{"id": 4, "sub": {}}, {"id": 5, "sub": {"j": "a", "k/": "b"}}, {"id": 5}]
    assert find_value(document, tokens, value) == expected


def test_an_id_below_a_path_that_is_no_ascii_is_found():
    step = request(url="/h%C3%A4fen/7")
    assert link_step(step, "/häfen/{port}", (use(Place.PATH, "port", value=7),))[0].url == "/h%C3%A4fen/{{a}}"
