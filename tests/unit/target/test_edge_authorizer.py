"""The function that lets in what carries the edge's origin secret."""

from typing import Any

import pytest
from aws_lambda_powertools.utilities import parameters

from target.functions.edge_authorizer import handler as module


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The secret's content is `s3cret`; what was asked for is kept."""
    kept: list[tuple[str, Any]] = []

    def get_secret(name: str, **options: Any) -> Any:
        kept.append((name, options))
        return {"EDGE_ORIGIN_SECRET": "s3cret"}

    monkeypatch.setattr(parameters, "get_secret", get_secret)
    return kept


@pytest.mark.parametrize(
    ("event", "let_in"),
    [
        ({"identitySource": ["s3cret"]}, True),
        ({"identitySource": ["s3cret "]}, False),
        ({"identitySource": ["S3CRET"]}, False),
        ({"identitySource": ["\u00e9"]}, False),
        ({"identitySource": [""]}, False),
        ({"identitySource": []}, False),
        ({"identitySource": None}, False),
        ({}, False),
    ],
)
def test_only_the_secret_itself_is_let_in(asked: list[tuple[str, Any]], event: dict[str, Any], let_in: bool) -> None:
    assert module.handler(event, None) == {"isAuthorized": let_in}
    assert asked == [("potential-parakeet/prod/api-keys", {"transform": "json", "max_age": 300})]


@pytest.mark.parametrize("content", [{}, {"EDGE_ORIGIN_SECRET": ""}, {"EDGE_ORIGIN_SECRET": None}])
def test_without_a_secret_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]) -> None:
    monkeypatch.setattr(parameters, "get_secret", lambda *_, **__: content)
    with pytest.raises(RuntimeError, match="has no EDGE_ORIGIN_SECRET"):
        module.handler({"identitySource": [""]}, None)
