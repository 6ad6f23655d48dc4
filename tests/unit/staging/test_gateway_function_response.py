"""What API Gateway makes of a function's return value, payload format 2.0."""

import base64
import json

import pytest

from harness.staging.function_response import MalformedResponse, interpret_function_response, message_response


def _interpret(returned: object) -> tuple[int, dict[str, str], bytes]:
    response = interpret_function_response(json.dumps(returned).encode())
    return response.status, dict(response.headers), response.body


def test_a_string_without_status_is_its_own_body() -> None:
    assert _interpret("Hello from Lambda!") == (200, {"content-type": "application/json"}, b"Hello from Lambda!")


def test_json_without_status_is_the_body() -> None:
    status, headers, body = _interpret({"message": "Hello from Lambda!"})

    assert (status, headers) == (200, {"content-type": "application/json"})
    assert json.loads(body) == {"message": "Hello from Lambda!"}


def test_documented_custom_response() -> None:
    returned = {
        "cookies": ["cookie1", "cookie2"],
        "isBase64Encoded": False,
        "statusCode": 201,
        "headers": {"headername": "headervalue"},
        "body": "Hello from Lambda!",
    }

    response = interpret_function_response(json.dumps(returned).encode())

    assert response.status == 201
    assert response.headers == (
        ("headername", "headervalue"),
        ("set-cookie", "cookie1"),
        ("set-cookie", "cookie2"),
        ("content-type", "text/plain;charset=UTF-8"),
    )
    assert response.body == b"Hello from Lambda!"


def test_base64_bodies_are_decoded() -> None:
    encoded = base64.b64encode(b"\x00\xff").decode()

    assert _interpret({"statusCode": 200, "body": encoded, "isBase64Encoded": True})[2] == b"\x00\xff"


def test_no_body_means_no_content_type() -> None:
    assert _interpret({"statusCode": 204}) == (204, {}, b"")


def test_header_values_may_be_numbers_and_booleans() -> None:
    _, headers, _ = _interpret({"statusCode": 200, "headers": {"x-count": 3, "x-flag": True, "x-none": None}})

    assert headers == {"x-count": "3", "x-flag": "true"}


def test_multi_value_headers_do_not_exist_in_this_format() -> None:
    _, headers, _ = _interpret({"statusCode": 200, "multiValueHeaders": {"x-a": ["1", "2"]}})

    assert headers == {}


def test_framing_headers_are_the_gateways_own() -> None:
    _, headers, _ = _interpret({"statusCode": 200, "headers": {"Transfer-Encoding": "chunked", "Connection": "close"}})

    assert headers == {}


@pytest.mark.parametrize(
    "returned",
    [
        {"statusCode": "teapot"},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": None},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c"}},
        {"statusCode": 200, "headers": {"bad name": "b"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "cookies": ["a\nb"]},
    ],
)
def test_what_cannot_be_a_response_is_refused(returned: object) -> None:
    with pytest.raises(MalformedResponse):
        _interpret(returned)


def test_payload_that_is_not_json_is_refused() -> None:
    with pytest.raises(MalformedResponse):
        interpret_function_response(b"<html>")


def test_a_status_as_text_is_taken() -> None:
    assert _interpret({"statusCode": "202"})[0] == 202


def test_gateway_messages_are_compact_json() -> None:
    assert message_response(404, "Not Found").body == b'{"message":"Not Found"}'
