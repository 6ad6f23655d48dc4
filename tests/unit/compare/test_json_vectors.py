"""JSON parsing by RFC 8259: what must be read, what must not, what is left to the reader; never a crash.

Nothing unrepresentable passes silently: what is read is printed as the same JSON, or the texts count as different.
"""

import pytest

from harness.domain.compare.body import compare_bodies
from harness.domain.compare.content import Content
from harness.domain.compare.document import fingerprint, parse_json, to_text

ACCEPTED: tuple[bytes, ...] = (
    # §2, §3: any value is a text, white space is space, tab, LF and CR
    b"null", b"true", b"false", b"0", b'""', b"[]", b"{}", b" \t\r\n[ 1 ]\n", b'{"a" : 1 , "b":2}',
    # §4: names are texts, empty ones too, and may be repeated
    b'{"":0}', b'{"a":{"":{}}}', b'{"a":1,"a":2}', b'{"a":1,"a":1}', b'{"\\u0061":1,"a":2}', b'{"a\\u0000b":1}',
    # §5
    b"[[]]", b"[1,null,\"a\",{}]", b"[" * 200 + b"]" * 200,
    # §6: numbers
    b"[-0]", b"[0.0]", b"[-0.0]", b"[0e1]", b"[0E+1]", b"[1e2]", b"[1E-2]", b"[123.456789]", b"[-1]", b"[20e1]",
    b"[123456789012345678901234567890]", b"[-237462374673276894279832749832423479823246327846]", b"[1e400]",
    b"[0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999]",
    b"[1.000000000000000005]", b"[9007199254740993]", b"[1e-400]", b"[-123123e100000]",
    # §7: texts
    b'["\\""]', b'["\\\\"]', b'["\\/"]', b'["\\b\\f\\n\\r\\t"]', b'["\\u0000"]', b'["\\u00e9\\u00E9"]',
    b'["\\uD834\\uDD1E"]', b'["\\uFFFF\\u2028\\u2029"]', '["é€𝄞\u2028\u2029\ufeff\u007f"]'.encode(), b'["\\u005C"]',
    b'["http:\\/\\/a"]', b'["\\uDBFF\\uDFFF"]', '["\U0010ffff"]'.encode(),
)  # fmt: skip
REFUSED: tuple[bytes, ...] = (
    b"", b" ", b"\n", b"[", b"]", b"{", b"}", b"[1", b'{"a":1', b'{"a"', b'{"a":', b'["a', b'"', b"[1,]", b"[,1]",
    b"[1,,2]", b"[1 2]", b"[1:2]", b'["a":1]', b'{"a":1,}', b'{,"a":1}', b'{"a":1,,"b":2}', b'{"a" 1}', b'{"a"::1}',
    b"{a:1}", b"{1:1}", b"{'a':1}", b"{null:1}", b"[1]]", b"[1][2]", b'{"a":1}x', b"1 2", b"nul", b"NULL", b"True",
    b"[tru]", b"[TRUE]", b"undefined", b"[+1]", b"[01]", b"[-01]", b"[00]", b"[1.]", b"[.5]", b"[-.5]", b"[-]",
    b"[- 1]", b"[1e]", b"[1e+]", b"[1.e1]", b"[1.5.5]", b"[0x1F]", b"[1_000]", b"[1,000.5.]", b"[--1]", b"[1a]",
    b"[Inf]", b"[nan]", b"[+Infinity]", b"[\xef\xbc\x91]", b'["a\nb"]', b'["a\tb"]', b'["\x00"]', b'["\x1f"]',
    b'["\\x41"]', b'["\\a"]', b'["\\u"]', b'["\\u12"]', b'["\\u12G4"]', b'["\\U0041"]', b'["\\"]', b"['a']",
    b"/* c */ 1", b"[1] // c", b"# c", b"[1]\x0b", b"\x0c[1]", b"\xc2\xa0[1]", b"[1]\x00", b"\xe2\x81\xa0[1]",
    b"<html></html>", b"a=b", b"*", b"[*]", b"[" * 100_000, b'{"a":' * 100_000, b"[1\xe9]", b"\x00", b"[\x00]",
)  # fmt: skip
LEFT_TO_THE_READER: tuple[bytes, ...] = (
    b"\xef\xbb\xbf[1]", "[1]".encode("utf-16"), '["é"]'.encode("utf-16-le"), '["é"]'.encode("utf-32-be"),
    b'["\\ud800"]', b'["\\udc00\\ud800"]', b'["\\ud800a"]', b'["\\uD834\\u0041"]', b'{"\\udfff":1}', b'["\xff"]',
    b'["\xc0\x80"]', b'["\xed\xa0\x80"]', b'["\xf4\x90\x80\x80"]', b'["\xe2\x82"]', b"\xe9", b"[NaN]", b"[-Infinity]",
    b"[Infinity]", b"[" * 300 + b"]" * 300, b"[1e99999999999999999999999]", b"[-1e-99999999999999999999999]",
    b"[" + b"9" * 5_000 + b"]", b"\xff\xfe", b"\xef\xbb\xbf", b"\xef\xbb\xbf{}",
)  # fmt: skip
# Texts that a common parser takes for the same, and that do not say the same.
NOT_THE_SAME: tuple[tuple[bytes, bytes], ...] = (
    (b"[9007199254740993]", b"[9007199254740992]"), (b"[123456789012345678901]", b"[123456789012345678900]"),
    (b"[1e400]", b"[1e401]"), (b"[0.0]", b"[-0.0]"), (b"[0]", b"[-0]"), (b"[10]", b"[10.0]"), (b"[1.0]", b"[1.00]"),
    (b"[1.000000000000000005]", b"[1.0]"), (b"[1e-400]", b"[0.0]"), (b'{"a":1,"a":2}', b'{"a":2}'),
    (b'{"a":1,"a":2}', b'{"a":2,"a":1}'), (b'["\\ud800"]', b'["\\udfff"]'), (b'["\\ud800"]', b'["\xef\xbf\xbd"]'),
    (b"[NaN]", b"[null]"), (b"[Infinity]", b"[-Infinity]"), (b'["NaN"]', b"[NaN]"), (b"\xef\xbb\xbf[1]", b"[1]"),
    (b'["\xff"]', b'["\xfe"]'), (b'["\\u0000"]', b'[""]'), ('["é"]'.encode(), '["e\u0301"]'.encode()),
    (b"[true]", b"[1]"), (b"[false]", b"[0]"), (b"[null]", b"[]"), (b'{"a":null}', b"{}"), (b"[1]", b"[1"),
    (b"[" * 300 + b"]" * 300, b"[" * 301 + b"]" * 301),
    (b"[1e99999999999999999999999]", b"[1e99999999999999999999998]"),
)  # fmt: skip


def _name(raw: bytes | tuple[bytes, bytes]) -> str:
    return ascii(raw)[:60]


@pytest.mark.parametrize("raw", ACCEPTED, ids=_name)
def test_what_the_rfc_allows_is_read_and_printed_again_as_the_same(raw: bytes) -> None:
    document = parse_json(raw)
    assert document is not None
    again = parse_json(to_text(document.value).encode())
    assert again is not None and fingerprint(again.value) == fingerprint(document.value)


@pytest.mark.parametrize("raw", REFUSED, ids=_name)
def test_what_the_rfc_forbids_is_not_read(raw: bytes) -> None:
    assert parse_json(raw) is None


@pytest.mark.parametrize("raw", [*ACCEPTED, *REFUSED, *LEFT_TO_THE_READER], ids=_name)
def test_no_body_ends_in_a_crash_and_each_is_equal_to_itself_alone(raw: bytes) -> None:
    parse_json(raw)
    mine = Content(body=raw, media_type="application/json")
    assert compare_bodies(mine, mine).findings == ()
    other = Content(body=raw + b"?", media_type="application/json")
    assert compare_bodies(mine, other).findings and compare_bodies(other, mine).findings


@pytest.mark.parametrize("pair", NOT_THE_SAME, ids=_name)
def test_what_parsers_lose_is_a_difference(pair: tuple[bytes, bytes]) -> None:
    first, second = (Content(body=raw, media_type="application/json") for raw in pair)
    assert compare_bodies(first, second).findings and compare_bodies(second, first).findings
