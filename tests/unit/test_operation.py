"""Endpoint templates."""

import pytest

from harness.domain.operation import OperationTemplates, generalise_path

DOCUMENT = {
    "paths": {
        "/api/trades/": {},
        "/api/trades/{trade_id}": {},
        "/api/trades/{trade_id}/close": {},
        "/api/trades/generate-id": {},
        "/files/{path:path}": {},
        "/v{major}/x.y": {},
    }
}


@pytest.mark.parametrize(
    ("url", "template"),
    [
        ("/api/trades/?page=2", "/api/trades/"),
        ("/api/trades/17", "/api/trades/{trade_id}"),
        ("/api/trades/%20", "/api/trades/{trade_id}"),
        ("/api/trades/17/close?exit_price=1/2", "/api/trades/{trade_id}/close"),
        ("/api/trades/generate-id", "/api/trades/generate-id"),
        ("/files/a/b", "/files/{path:path}"),
        ("/v2/x.y", "/v{major}/x.y"),
        ("/v2/xzy", "/v2/xzy"),
        ("/api/trades", "/api/trades"),
        ("/orders/17/lines/9", "/orders/{}/lines/{}"),
    ],
)
def test_the_most_literal_template_names_the_operation(url: str, template: str) -> None:
    assert OperationTemplates.of_document(DOCUMENT).operation("get", url) == f"GET {template}"


@pytest.mark.parametrize("url", ["/h%C3%A4fen/a%2Fb/x%20y", "/h%c3%a4fen/7/x y", "/häfen/7/x%20y"])
def test_a_template_that_is_no_ascii_is_known_as_it_is_sent(url: str) -> None:
    document = {"paths": {"/häfen/{port}/x y": {}}}
    assert OperationTemplates.of_document(document).operation("GET", url) == "GET /häfen/{port}/x y"


@pytest.mark.parametrize("document", [None, [], {"paths": []}, {"paths": None}, "text"])
def test_what_is_no_description_yields_no_templates(document: object) -> None:
    assert OperationTemplates.of_document(document).operation("GET", "/a/1") == "GET /a/{}"


def test_identifiers_are_generalised_and_words_are_not() -> None:
    path = "/a/0017/3F2504E0-4F89-11D3-9A0C-0305E82C3301/deadbeef0123/facade/deedbeadface/x1/-1"
    assert generalise_path(path) == "/a/{}/{}/{}/facade/deedbeadface/x1/-1"
