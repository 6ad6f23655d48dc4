"""Headers: repeats, sets, cookies, bases, and what belongs to the transport."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.compare.headers import HeaderRules, compare_headers
from harness.domain.exchange import Headers
from harness.domain.normalise import abstract_base, normalise_pointer, normalise_row_pointer

BASES = ("http://127.0.0.1:80", "http://127.0.0.1:8080")


def _kinds(legacy: Headers, target: Headers) -> list[tuple[str, str]]:
    found = compare_headers(legacy, target, HeaderRules(), BASES).different
    return [(difference.pointer, difference.kind.value) for difference in found]


@pytest.mark.parametrize(
    ("legacy", "target", "expected"),
    [
        ((("A", "1"),), (("a", "1"),), []),
        ((("a", "1"), ("a", "2")), (("a", "2"), ("a", "1")), [("a", "value")]),
        ((("a", "1"), ("a", "2")), (("a", "1, 2"),), [("a", "representation")]),
        ((("a", "1"), ("a", "1")), (("a", "1"),), [("a", "value")]),
        ((("vary", "Origin, Accept"),), (("Vary", "accept"), ("vary", "origin")), []),
        ((("vary", "Origin"),), (("vary", "Origin, Accept"),), [("vary", "value")]),
        (
            (("content-type", "application/json; charset=UTF-8"),),
            (("content-type", "application/json;charset=utf-8"),),
            [],
        ),
        ((("content-type", "application/json"),), (("content-type", "text/json"),), [("content-type", "value")]),
        ((("server", "a"), ("content-length", "3")), (("x-amzn-requestid", "z"), ("apigw-requestid", "y")), []),
        ((("date", "x"),), (("date", "y"),), []),
        ((("date", "x"),), (), [("date", "missing")]),
        ((), (("x-request-id", "y"),), []),
        ((("location", f"{BASES[0]}/a"),), (("location", f"{BASES[1]}/a"),), []),
        ((("location", f"{BASES[0]}/a"),), (("location", f"{BASES[0]}/a"),), [("location", "value")]),
        ((("set-cookie", "a=1; Path=/; HttpOnly"),), (("set-cookie", "a=1; httponly; path=/"),), []),
        ((("set-cookie", "a=1"), ("set-cookie", "b=2")), (("set-cookie", "a=1"),), [("set-cookie/b", "missing")]),
        ((("set-cookie", "a=1; Secure"),), (("set-cookie", "a=1"),), [("set-cookie/a", "value")]),
    ],
)
def test_headers_differ_where_they_mean_something_else(
    legacy: Headers, target: Headers, expected: list[tuple[str, str]]
) -> None:
    assert _kinds(legacy, target) == expected


def test_a_longer_port_is_another_address() -> None:
    assert abstract_base(b"http://127.0.0.1:8080/a 127.0.0.1:80", BASES[0]) == b"http://127.0.0.1:8080/a $HOSTPORT"


@given(st.binary(max_size=30), st.sampled_from(BASES))
def test_abstracting_is_idempotent(noise: bytes, base: str) -> None:
    body = noise + base.encode() + noise + base.replace("/", "\\/").encode()
    once = abstract_base(body, base)
    assert abstract_base(once, base) == once


@given(st.lists(st.text(max_size=6), max_size=5))
def test_normalising_pointers_is_idempotent(tokens: list[str]) -> None:
    pointer = "".join(f"/{token.replace('~', '~0').replace('/', '~1')}" for token in tokens)
    for normalise in (normalise_pointer, normalise_row_pointer):
        once = normalise(pointer)
        assert normalise(once) == once
