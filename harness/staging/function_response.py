"""What a function returned, as the HTTP response that an HTTP API makes of it, payload format 2.0.

Source: Amazon API Gateway developer guide, "Lambda function response for format 2.0". That format has no
`multiValueHeaders`: API Gateway ignores the field, and so does this.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.domain.exchange import Headers

_FRAMING = frozenset(("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"))
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE = re.compile(r"[\x00\r\n]")
_DEFAULT_CONTENT_TYPE = "text/plain;charset=UTF-8"


class MalformedResponse(Exception):
    """The function returned what API Gateway cannot turn into a response: the client gets a 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """A response to send; framing is the server's affair."""

    status: int
    headers: Headers
    body: bytes


def interpret_function_response(payload: bytes) -> GatewayResponse:
    """The response that a function's return value stands for.

    Without `statusCode` any JSON is a 200 with that JSON as its body; a string is its own body.

    Raises:
        MalformedResponse: it is not JSON, or a field has a type that API Gateway refuses.
    """
    try:
        returned = json.loads(payload)
    except ValueError as error:
        raise MalformedResponse(f"not JSON: {error}") from error
    if isinstance(returned, dict) and "statusCode" in returned:
        return _structured(returned)
    body = returned.encode("utf-8", "replace") if isinstance(returned, str) else payload
    return GatewayResponse(status=200, headers=(("content-type", "application/json"),), body=body)


def message_response(status: int, message: str) -> GatewayResponse:
    """A response of the gateway itself, such as `{"message":"Not Found"}`."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return GatewayResponse(status=status, headers=(("content-type", "application/json"),), body=body)


def _structured(returned: Mapping[str, object]) -> GatewayResponse:
    body = _body(returned)
    headers = [*_headers(returned.get("headers")), *_cookies(returned.get("cookies"))]
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", _DEFAULT_CONTENT_TYPE))
    return GatewayResponse(status=_status(returned["statusCode"]), headers=tuple(headers), body=body)


def _status(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise MalformedResponse(f"statusCode {value!r}")
    return value


def _body(returned: Mapping[str, object]) -> bytes:
    body = returned.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponse(f"body of type {type(body).__name__}")
    if returned.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedResponse(f"body is not base64: {error}") from error


def _headers(value: object) -> Iterable[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise MalformedResponse(f"headers of type {type(value).__name__}")
    for name, content in value.items():
        if content is None or name.lower() in _FRAMING:
            continue
        if not isinstance(content, str | int | float):
            raise MalformedResponse(f"header {name} of type {type(content).__name__}")
        yield _checked(name, _text(content))


def _cookies(value: object) -> Iterable[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(cookie, str) for cookie in value):
        raise MalformedResponse("cookies is not a list of strings")
    for cookie in value:
        yield _checked("set-cookie", cookie)


def _text(content: str | float | bool) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def _checked(name: str, content: str) -> tuple[str, str]:
    if not _TOKEN.fullmatch(name) or _UNSAFE.search(content):
        raise MalformedResponse(f"header {name!r} cannot be sent")
    return name, content
