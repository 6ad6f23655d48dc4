"""Payload format 2.0 against AWS's documented example and the behaviour captured from real HTTP APIs."""

import base64
from datetime import UTC, datetime

import pytest

from harness.staging.events import GatewayRequest, RequestIdentity, build_event, encode_body, fold_query
from harness.staging.routes import RouteMatch

_DEFAULT = RouteMatch(route_key="$default", function_key="f", path_parameters={})
_IDENTITY = RequestIdentity(
    account_id="123456789012",
    api_id="api-id",
    request_id="id",
    trace_id="Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
    received_at=datetime(2020, 3, 12, 19, 3, 58, 390_000, tzinfo=UTC),
)


def _request(target: str = "/", *headers: tuple[str, str], method: str = "GET", body: bytes = b"") -> GatewayRequest:
    return GatewayRequest(method=method, target=target, headers=headers, body=body, source_ip="192.0.2.1", port=8080)


def test_documented_example_is_reproduced() -> None:
    request = _request(
        "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
        ("Host", "id.execute-api.us-east-1.amazonaws.com"),
        ("Header1", "value1"),
        ("Header2", "value1"),
        ("header2", "value2"),
        ("Cookie", "cookie1; cookie2"),
        ("User-Agent", "agent"),
        ("Content-Type", "text/plain"),
        method="POST",
        body=b"Hello from client!",
    )
    route = RouteMatch(route_key="$default", function_key="f", path_parameters={"parameter1": "value1"})

    assert build_event(request, route, _IDENTITY) == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "host": "id.execute-api.us-east-1.amazonaws.com",
            "header1": "value1",
            "header2": "value1,value2",
            "user-agent": "agent",
            "content-type": "text/plain",
            "content-length": "18",
            "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "8080",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390 + 691200000,  # the documented epoch is 4 March; the time beside it is 12 March
        },
        "pathParameters": {"parameter1": "value1"},
        "body": "Hello from client!",
        "isBase64Encoded": False,
    }


def test_absent_parts_are_absent_keys() -> None:
    event = build_event(_request(), _DEFAULT, _IDENTITY)

    assert not {"cookies", "queryStringParameters", "pathParameters", "body"} & event.keys()
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/a%20b", "/a b"),
        ("/caf%C3%A9", "/café"),
        ("//twice//", "//twice//"),
        ("/a%2Fb", "/a/b"),
        ("/100%25", "/100%"),
        ("/%2525", "/%25"),
        ("/a+b", "/a+b"),
        ("/;v=1,2@x:y", "/;v=1,2@x:y"),
    ],
)
def test_raw_path_is_decoded_once(sent: str, seen: str) -> None:
    event = build_event(_request(sent), _DEFAULT, _IDENTITY)

    assert event["rawPath"] == seen
    assert event["requestContext"]["http"]["path"] == seen  # type: ignore[index]


def test_raw_query_stays_as_sent() -> None:
    query = "q=a%20b+c&q=%C3%A9&empty=&flag&x=%26%3D&?=1"

    event = build_event(_request(f"/p?{query}"), _DEFAULT, _IDENTITY)

    assert event["rawQueryString"] == query
    assert event["queryStringParameters"] == {"q": "a b c,é", "empty": "", "flag": "", "x": "&=", "?": "1"}


def test_repeated_parameters_join_in_order() -> None:
    assert fold_query("b=2&a=1&b=1&b=3") == {"b": "2,1,3", "a": "1"}


def test_hop_by_hop_headers_stay_at_the_gateway() -> None:
    request = _request(
        "/",
        ("Connection", "close, X-Private"),
        ("X-Private", "1"),
        ("TE", "trailers"),
        ("Transfer-Encoding", "chunked"),
    )

    headers = build_event(request, _DEFAULT, _IDENTITY)["headers"]

    assert isinstance(headers, dict)
    assert not {"connection", "x-private", "te", "transfer-encoding"} & headers.keys()


def test_several_cookie_headers_become_one_list() -> None:
    event = build_event(_request("/", ("Cookie", "a=1; b=2"), ("cookie", "c=3")), _DEFAULT, _IDENTITY)

    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in event["headers"]  # type: ignore[operator]


def test_client_host_reaches_the_function_and_names_the_domain() -> None:
    event = build_event(_request("/", ("Host", "api.example.org:8443")), _DEFAULT, _IDENTITY)

    assert event["headers"]["host"] == "api.example.org:8443"  # type: ignore[index]
    assert event["requestContext"]["domainName"] == "api.example.org"  # type: ignore[index]


def test_forwarded_for_is_extended_not_replaced() -> None:
    event = build_event(_request("/", ("X-Forwarded-For", "203.0.113.9")), _DEFAULT, _IDENTITY)

    assert event["headers"]["x-forwarded-for"] == "203.0.113.9, 192.0.2.1"  # type: ignore[index]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/csv; charset=utf-8",
        "application/json",
        "Application/JSON;charset=UTF-8",
        "application/xml",
        "application/javascript",
    ],
)
def test_text_bodies_are_strings(content_type: str) -> None:
    assert encode_body("né".encode(), content_type) == {"body": "né", "isBase64Encoded": False}


@pytest.mark.parametrize(
    "content_type",
    ["", "application/octet-stream", "application/x-www-form-urlencoded", "image/png", "application/problem+json"],
)
def test_other_bodies_are_base64(content_type: str) -> None:
    assert encode_body(b"a=1", content_type) == {
        "body": base64.b64encode(b"a=1").decode(),
        "isBase64Encoded": True,
    }


def test_text_that_is_not_utf8_arrives_whole() -> None:
    encoded = encode_body(b"\xff\xfe", "application/json")

    assert encoded["isBase64Encoded"] is True
    assert base64.b64decode(str(encoded["body"])) == b"\xff\xfe"
