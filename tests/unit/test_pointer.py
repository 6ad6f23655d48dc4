"""JSON Pointers behave as RFC 6901 says."""

import pytest

from harness.domain.pointer import PointerError, join_pointer, parse_pointer, resolve_pointer

# The document and the pointers of RFC 6901, section 5.
_DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", _DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_resolves_the_examples_of_the_rfc(pointer: str, value: object) -> None:
    assert resolve_pointer(_DOCUMENT, pointer) == value


@pytest.mark.parametrize(
    "pointer", ["foo", "/foo/2", "/foo/-", "/foo/01", "/foo/+1", "/nope", "/foo/0/x", "/m~2n", "/m~"]
)
def test_refuses_what_is_malformed_or_names_nothing(pointer: str) -> None:
    with pytest.raises(PointerError):
        resolve_pointer(_DOCUMENT, pointer)


def test_tilde_one_is_unescaped_before_tilde_zero() -> None:
    assert parse_pointer("/~01") == ("~1",)


@pytest.mark.parametrize("tokens", [(), ("",), ("a/b", "~", "~1"), ("0", "x")])
def test_joining_is_the_inverse_of_parsing(tokens: tuple[str, ...]) -> None:
    assert parse_pointer(join_pointer(tokens)) == tokens
