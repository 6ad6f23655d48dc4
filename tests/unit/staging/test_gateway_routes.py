"""API Gateway's route selection."""

import pytest

from harness.domain.cloud import RouteDefinition
from harness.domain.errors import ConfigurationError
from harness.staging.routes import RouteTable


def _table(*route_keys: str) -> RouteTable:
    return RouteTable(RouteDefinition(route_key=key, function_key=key) for key in route_keys)


_DOCUMENTED = _table("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default")


@pytest.mark.parametrize(
    ("method", "path", "selected"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/test/5", "ANY /{proxy+}"),
        ("POST", "/pets/dog/1", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
    ],
)
def test_documented_precedence(method: str, path: str, selected: str) -> None:
    match = _DOCUMENTED.find(method, path)

    assert match is not None
    assert match.route_key == selected


def test_order_of_declaration_does_not_matter() -> None:
    reversed_table = _table("$default", "ANY /{proxy+}", "GET /pets/{proxy+}", "GET /pets/dog/{id}", "GET /pets/dog/1")

    match = reversed_table.find("GET", "/pets/dog/1")

    assert match is not None
    assert match.route_key == "GET /pets/dog/1"


def test_a_named_method_wins_over_any_at_the_same_path() -> None:
    table = _table("ANY /a/{id}", "GET /a/{id}")

    assert [match.route_key for verb in ("GET", "PUT") if (match := table.find(verb, "/a/1"))] == [
        "GET /a/{id}",
        "ANY /a/{id}",
    ]


def test_path_parameters_are_decoded() -> None:
    match = _table("ANY /a/{id}/b/{rest+}").find("GET", "/a/x%20y/b/c/d%2Fe//f")

    assert match is not None
    assert match.path_parameters == {"id": "x y", "rest": "c/d/e//f"}


@pytest.mark.parametrize("path", ["/a", "/b/1"])
def test_a_greedy_variable_needs_a_slash_before_it(path: str) -> None:
    assert _table("ANY /a/{proxy+}").find("GET", path) is None


def test_a_greedy_variable_takes_a_trailing_slash_but_not_the_root() -> None:
    match = _table("ANY /a/{proxy+}").find("GET", "/a/")

    assert match is not None
    assert match.path_parameters == {"proxy": ""}
    assert _table("ANY /{proxy+}").find("GET", "/") is None


def test_a_trailing_slash_is_another_path() -> None:
    assert _table("ANY /a").find("GET", "/a/") is None


@pytest.mark.parametrize("route_key", ["GET", "FETCH /a", "GET a", "ANY /{proxy+}/b", ""])
def test_a_route_key_that_aws_would_refuse_is_refused(route_key: str) -> None:
    with pytest.raises(ConfigurationError):
        _table(route_key)
