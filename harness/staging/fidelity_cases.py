"""What the local cloud and AWS are asked alike, and which part of each answer has to be the same."""

from dataclasses import dataclass
from pathlib import Path

from harness.domain.exchange import Headers, Request

PROBE_PACKAGE = Path(__file__).with_name("probe_function")
PROBE_KEY = "echo"
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityCase:
    """One request; `shows` names parts of the answer.

    `status`, `body`, `header NAME`, `json POINTER` for a value of the body and `keys POINTER` for an object's names.
    """

    name: str
    request: Request
    shows: tuple[str, ...]


def fidelity_cases() -> tuple[FidelityCase, ...]:
    """All cases, in the order of the certificate."""
    return (*_events(), *_bodies(), *_answers(), *_limits(), *_runtime())


def _events() -> tuple[FidelityCase, ...]:
    path = "/a%20b//c%2Fd/%C3%A9?x=1&x=2&y=&z=a%2Bb+c"
    shown = ("json /event/rawPath", "json /event/rawQueryString", "json /event/queryStringParameters")
    return (
        _case("members of the event", "GET", "/plain", "keys /event", "keys /event/requestContext"),
        _case("version and route", "GET", "/plain", "json /event/version", "json /event/routeKey"),
        _case("members of requestContext.http", "GET", "/plain", "keys /event/requestContext/http"),
        _case("path and query", "GET", path, *shown),
        _case("path in requestContext", "GET", path, "json /event/requestContext/http/path"),
        _case("dots in the path", "GET", "/a/../b/./c", "json /event/rawPath"),
        _case(
            "repeated headers", "GET", "/", "json /event/headers/x-a", headers=(("X-A", "1"), ("x-a", "2"), ("X-A", ""))
        ),
        _case(
            "cookies", "GET", "/", "json /event/cookies", "keys /event/headers", headers=(("Cookie", "a=1; b=2;c=3"),)
        ),
        _case("names of headers", "GET", "/", "keys /event/headers", headers=(("TE", "trailers"), ("X-Own", "1"))),
        _case("methods", "PATCH", "/", "json /event/requestContext/http/method"),
        _case("HEAD", "HEAD", "/", "status", "body"),
        _case("OPTIONS", "OPTIONS", "/", "status", "json /event/requestContext/http/method"),
    )


def _bodies() -> tuple[FidelityCase, ...]:
    shown = ("json /event/body", "json /event/isBase64Encoded")
    types = (
        "application/json",
        "application/json; charset=utf-8",
        "application/xml",
        "application/javascript",
        "application/x-www-form-urlencoded",
        "application/vnd.api+json",
        "application/octet-stream",
        "text/csv",
        "image/svg+xml",
        "multipart/form-data; boundary=x",
    )
    typed = (
        _case(f"body of {name}", "POST", "/", *shown, headers=(("Content-Type", name),), body=b'{"a": 1}')
        for name in types
    )
    return (
        *typed,
        _case("body without a type", "POST", "/", *shown, body=b"abc"),
        _case("text that is not UTF-8", "POST", "/", *shown, headers=(("Content-Type", "text/plain"),), body=b"\xff"),
        _case("empty body", "POST", "/", "keys /event", "json /event/isBase64Encoded", body=b""),
    )


def _answers() -> tuple[FidelityCase, ...]:
    names = (
        "null", "text", "number", "list", "object", "status-only", "status-text", "status-wrong", "body-object",
        "base64", "utf-8", "raise",
    )  # fmt: skip
    plain = (_case(f"answer: {name}", "GET", f"/?do={name}", "status", "header content-type", "body") for name in names)
    return (
        *plain,
        _case("answer: cookies", "GET", "/?do=cookies", "status", "header set-cookie"),
        _case("answer: multi-value headers", "GET", "/?do=multi-value", "status", "header x-many"),
        _case("answer: mixed case of a header", "GET", "/?do=header-case", "status", "header x-mixed-case"),
        _case("answer: a number as a header", "GET", "/?do=header-number", "status", "header x-number"),
    )


def _limits() -> tuple[FidelityCase, ...]:
    return (
        _case("an answer over 6 MB", "GET", "/?do=over-6-mb", "status", "body"),
        _case("a body over 10 MB", "POST", "/", "status", "body", body=b"x" * (10 * _MEGABYTE + 1)),
        _case("a body over Lambda's 6 MB", "POST", "/", "status", "body", body=b"x" * (7 * _MEGABYTE)),
        _case("a header line over 10,240 bytes", "GET", "/", "status", headers=(("X-Long", "x" * 10_300),)),
    )


def _runtime() -> tuple[FidelityCase, ...]:
    return (
        _case("context", "GET", "/", "json /context"),
        _case("environment", "GET", "/", "json /environment"),
        _case("Python", "GET", "/", "json /python"),
    )


def _case(
    name: str, method: str, url: str, *shows: str, headers: Headers = (), body: bytes | None = None
) -> FidelityCase:
    request = Request(method=method, url=url, headers=headers, body=body)
    return FidelityCase(name=name, request=request, shows=shows)
