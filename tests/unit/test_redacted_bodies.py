"""Secrets that are found only once a body is read: in an encoding, in a form; what cannot be read is not stored."""

import gzip
import zlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.compare.content import DEFAULT_DECODERS, decode
from harness.domain.compare.judge import judge_session
from harness.domain.compare.redacted import RedactedCount
from harness.domain.compare.rules import Rules
from harness.domain.exchange import Headers, Request, Response
from harness.domain.record_redaction import redact_session
from harness.domain.redaction import Redactor
from tests.builders.records import answer, session, step

REDACTOR = Redactor(key=b"k" * 32)
RULES = Rules(today=date(2026, 2, 4))
JSON = ("content-type", "application/json")
URLENCODED = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("content-type", 'multipart/form-data; charset=utf-8; boundary="b+1"')
SECRET = b"s3cr3t"


def _gzip(data: bytes, level: int = 9) -> bytes:
    return gzip.compress(data, level, mtime=0)


MARK = REDACTOR.secret("s3cr3t").encode()
DOCUMENT = b'{"access_token": "s3cr3t",  "n": 1.50}'
CLEAN = b'{"access_token": "%b",  "n": 1.50}' % MARK
NESTED = rb'{"token": {"value": "s3cr3t", "a": [1, 2.50]}, "doc": "{\"pwd\": \"s3cr3t\", \"b\": 5}", "n": 5}'
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(DOCUMENT) + RAW.flush()


def _redacted(body: bytes, *headers: tuple[str, str]) -> Response:
    given = Response(status=200, headers=headers, body=body)
    stored = REDACTOR.response(given)
    assert REDACTOR.response(stored) == stored, "what is stored holds nothing more to replace"
    return stored


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", _gzip(DOCUMENT)),
        ("X-GZIP", _gzip(DOCUMENT)),
        ("deflate", zlib.compress(DOCUMENT)),
        ("deflate", RAW_DEFLATE),
        ("deflate, gzip", _gzip(zlib.compress(DOCUMENT))),
        ("identity", DOCUMENT),
        ("", DOCUMENT),
    ],
)
def test_a_secret_in_an_encoded_body_is_replaced_and_the_encoding_stays(coding: str, body: bytes) -> None:
    stored = _redacted(body, JSON, ("Content-Encoding", coding), ("Content-Length", str(len(body))))
    content = decode(stored, DEFAULT_DECODERS)
    assert (content.body, content.problem) == (CLEAN, "")
    assert stored.header_values("content-encoding") == (coding,)
    assert stored.header_values("content-length") == (str(len(stored.body)),)


WIDE = {
    "utf-16": "utf-16",
    "UTF-16LE": "utf-16-le",
    "utf16-be": "utf-16-be",
    "utf-32": "utf-32",
    "utf-32le": "utf-32-le",
}
WIDE_DOCUMENT = '{"access_token": "s3cr3t", "é": "\\ud83d\\ude00😀"}'


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize("charset", WIDE)
def test_a_secret_in_a_body_of_wide_characters_is_replaced_and_the_rest_stays(charset: str, is_declared: bool) -> None:
    kind = f"application/json; charset={charset}" if is_declared else "application/json"
    body, expected = (
        text.encode(WIDE[charset]) for text in (WIDE_DOCUMENT, WIDE_DOCUMENT.replace("s3cr3t", MARK.decode()))
    )
    length = ("Content-Length", str(len(body)))
    stored = _redacted(body, ("Content-Type", kind), length)
    assert stored.body == expected
    assert stored.header_values("content-length") == (str(len(expected)),)
    assert _redacted(body + b"x", ("Content-Type", kind)).body == expected + b"x", "a character that is cut off stays"
    gzipped = _redacted(_gzip(body), ("Content-Type", kind), ("content-encoding", "gzip"))
    assert gzip.decompress(gzipped.body) == expected


def test_a_body_that_only_claims_wide_characters_is_read_as_it_is() -> None:
    assert _redacted(DOCUMENT, ("content-type", "application/json; charset=utf-16")).body == CLEAN
    assert _redacted(DOCUMENT[:-1], ("content-type", "application/json; charset=utf-32")).body == CLEAN[:-1]


def test_a_body_that_begins_with_wide_characters_and_breaks_off_into_others_is_not_stored() -> None:
    stored = _redacted(WIDE_DOCUMENT.encode("utf-32") + b"\xff" * 4, ("content-type", "application/json"))
    assert stored.body.startswith(b"[redacted:")
    assert b"s\0\0\0" not in stored.body


def test_a_form_of_wide_characters_is_read_by_its_fields() -> None:
    kind = ("content-type", "application/x-www-form-urlencoded; charset=utf-16-le")
    stored = _redacted("a=1&pass%77ord=s3cr3t".encode("utf-16-le"), kind)
    assert stored.body == f"a=1&pass%77ord={MARK.decode()}".encode("utf-16-le")


def test_an_encoded_body_without_secrets_stays_byte_for_byte() -> None:
    body = gzip.compress(b'{"key": "GLD"}', mtime=7)
    assert _redacted(body, JSON, ("content-encoding", "gzip")).body == body


@pytest.mark.parametrize(
    ("coding", "body", "problem"),
    [
        ("br", DOCUMENT, "no decoder for content-encoding br"),
        ("gzip", DOCUMENT, "content-encoding gzip cannot be decoded: BadGzipFile"),
        ("gzip", _gzip(DOCUMENT, level=0)[:-9], "content-encoding gzip cannot be decoded: EOFError"),
        ("zstd, gzip", _gzip(DOCUMENT), "no decoder for content-encoding zstd"),
        ("br", MARK + DOCUMENT, "no decoder for content-encoding br"),
    ],
)
def test_of_what_cannot_be_decoded_only_hash_length_and_reason_are_left(coding: str, body: bytes, problem: str) -> None:
    headers = (JSON, ("content-encoding", coding))
    stored = _redacted(body, *headers)
    assert SECRET not in stored.body
    assert stored.body.endswith(f"] {len(body)} bytes: {problem}".encode())
    assert decode(stored, DEFAULT_DECODERS).problem == problem
    assert _redacted(body, *headers) == stored != _redacted(body + b" ", *headers)


def test_a_request_is_read_as_its_headers_say() -> None:
    headers = (JSON, ("content-encoding", "gzip"))
    stored = REDACTOR.request(Request(method="POST", url="/", headers=headers, body=_gzip(DOCUMENT)))
    assert gzip.decompress(stored.body or b"") == CLEAN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a=1&password=s3cr3t&b=x+y", b"a=1&password=*&b=x+y"),
        (b"user%5Bpass%77ord%5D=s3cr3t&n=%41", b"user%5Bpass%77ord%5D=*&n=%41"),
        (b"user[password]=s3cr3t", b"user[password]=*"),
        (b"user.password=s3cr3t", b"user.password=*"),
        (b"&&password&token=s3cr3t", b"&&password&token=*"),
        (b"doc=%7B%22token%22%3A%22s3cr3t%22%7D", b"doc=%7B%22token%22:%22*%22%7D"),
        (b'{"token": "s3cr3t"}', b'{"token": "*"}'),
    ],
)
def test_secret_fields_of_an_urlencoded_form_are_replaced(before: bytes, after: bytes) -> None:
    assert _redacted(before, URLENCODED).body == after.replace(b"*", MARK)
    assert REDACTOR.url(f"/x?{before.decode()}") == f"/x?{after.replace(b'*', MARK).decode()}"


def test_the_whole_value_of_a_secret_field_is_replaced() -> None:
    assert b"second" not in _redacted(b"password=first second;third&a=1", URLENCODED).body


def _form(name: bytes, content: bytes, head: bytes = b"") -> bytes:
    part = b'--b+1\r\nContent-Disposition: form-data; filename="password"; name=%b\r\n%b\r\n%b\r\n'
    return b"pre\r\n" + part % (b'"a"', b"", b"\xff\x00\r\n1") + part % (name, head, content) + b"--b+1--\r\nend"


@pytest.mark.parametrize(
    ("name", "content", "head", "kept"),
    [
        (b'"password"', b"s3cr3t", b"", b"*"),
        (b"Password", b"s3cr3t", b"Content-Type: text/plain\r\n", b"*"),
        (b'"user[api_key]"', b"s3cr3t", b"", b"*"),
        (b'"doc"', DOCUMENT, b"content-type: application/json\r\n", CLEAN),
        (b'"files"', b"s3cr3t", b"Content-Type: multipart/mixed; boundary=c\r\n", b"*"),
        (b'"note"', b"nothing", b"", b"nothing"),
    ],
)
def test_secret_parts_of_a_multipart_form_are_replaced(name: bytes, content: bytes, head: bytes, kept: bytes) -> None:
    stored = _redacted(_form(name, content, head), MULTIPART)
    assert stored.body == _form(name, kept.replace(b"*", MARK), head)


def test_a_part_s_name_may_be_encoded() -> None:
    body = _form(b"x", b"s3cr3t").replace(b"name=x", b"name*=utf-8''pass%77ord")
    assert SECRET not in _redacted(body, MULTIPART).body


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=other"])
def test_a_multipart_form_without_its_boundary_is_not_stored(kind: str) -> None:
    assert SECRET not in _redacted(_form(b"password", SECRET), ("content-type", kind)).body


@pytest.mark.parametrize("cut", range(60, 130, 5))
def test_a_form_that_is_cut_off_gives_nothing_away(cut: int) -> None:
    body = b'--b+1\r\nContent-Disposition: form-data; name="password"\r\n\r\n' + SECRET * 20
    assert SECRET not in _redacted(body[:cut], MULTIPART).body


def test_a_form_in_an_encoding_is_read_too() -> None:
    stored = _redacted(_gzip(_form(b"token", SECRET)), MULTIPART, ("content-encoding", "gzip"))
    assert gzip.decompress(stored.body) == _form(b"token", MARK)


@pytest.mark.parametrize("missing", [0, 5])
@pytest.mark.parametrize("secret", ["x", "x" * 200])
def test_a_body_is_cut_off_after_redaction_exactly_where_it_was_before(missing: int, secret: str) -> None:
    body = b'{"token": "%b"}' % secret.encode()
    stored = _redacted(body, JSON, ("Content-Length", str(len(body) + missing)))
    assert decode(stored, DEFAULT_DECODERS).problem.startswith("truncated") == bool(missing)


GZIP = (JSON, ("content-encoding", "gzip"))
BR = (JSON, ("content-encoding", "br"))


@pytest.mark.parametrize(
    ("legacy", "target", "headers"),
    [
        (_gzip(DOCUMENT), _gzip(DOCUMENT), (GZIP, GZIP)),
        (_gzip(DOCUMENT), _gzip(DOCUMENT, 0), (GZIP, GZIP)),
        (_gzip(DOCUMENT), DOCUMENT, (GZIP, (JSON,))),
        (_gzip(DOCUMENT), _gzip(DOCUMENT.replace(b"1.50", b"2")), (GZIP, GZIP)),
        (DOCUMENT, DOCUMENT, (BR, BR)),
        (DOCUMENT, DOCUMENT + b" ", (BR, BR)),
        (DOCUMENT, _gzip(DOCUMENT)[:-9], (BR, GZIP)),
        (b'{"pin": 1, "password": 5}', b'{"password": 5, "pin": 2}', ((JSON,), (JSON,))),
        (b"password=s3cr3t&a=1", b"password=s3cr3t&a=1", ((URLENCODED,), (URLENCODED,))),
        (WIDE_DOCUMENT.encode("utf-16"), WIDE_DOCUMENT.encode("utf-16"), ((JSON,), (JSON,))),
        (WIDE_DOCUMENT.encode(), WIDE_DOCUMENT.encode("utf-32"), ((JSON,), (JSON,))),
        (NESTED, NESTED, ((JSON,), (JSON,))),
        (NESTED, NESTED.replace(b'"a":', b'"a": '), ((JSON,), (JSON,))),
    ],
)
def test_stored_exchanges_are_judged_as_the_live_ones(
    legacy: bytes, target: bytes, headers: tuple[Headers, Headers]
) -> None:
    record = session(step(answer(legacy, headers=headers[0]), answer(target, headers=headers[1])))
    stored = redact_session(record, REDACTOR)
    assert SECRET not in b"".join(_bodies(stored))
    assert judge_session(stored, RULES) == judge_session(record, RULES)


@pytest.mark.parametrize(
    ("legacy", "target"),
    [
        (b"5", b"6"),
        (b"5", b'"5"'),
        (b"[1, 2]", b"[1, 3]"),
        (b"5", b"null"),
        (b'{"value": "a"}', b'{"value": "b"}'),
        (b'{"value": "a"}', b'{"value": null}'),
        (b'{"value": "a", "x": 1}', b'{"value": "a"}'),
        (b'{"id": 7}', b'{"id": "7"}'),
        (b'[{"at": "2026-02-04T12:00:00Z"}]', b'[{"at": "2026-02-04T12:00:00"}]'),
    ],
)
def test_a_redacted_value_still_differs_in_the_same_place_and_kind(legacy: bytes, target: bytes) -> None:
    record = session(step(answer(b'{"token": %b}' % legacy), answer(b'{"token": %b}' % target)))
    live, stored = (judge_session(each, RULES)[0] for each in (record, redact_session(record, REDACTOR)))
    assert [(d.pointer, d.kind) for d in stored.differences] == [(d.pointer, d.kind) for d in live.differences] != []
    assert stored.outcome == live.outcome


def test_redacted_values_in_encoded_bodies_are_counted_where_they_are() -> None:
    count = RedactedCount()
    body = _gzip(DOCUMENT)
    count.add(redact_session(session(step(answer(body, headers=GZIP), answer(body, headers=GZIP))), REDACTOR))
    assert [place.rpartition(" body ")[2] for place in count.redacted().places] == ["/access_token"]


@given(st.binary(max_size=200), st.sampled_from(["gzip", "br", "deflate", "gzip, br", "identity", "?"]))
def test_no_bytes_break_the_redaction_of_encoded_bodies(body: bytes, coding: str) -> None:
    _redacted(body, ("content-encoding", coding))


@given(
    st.lists(st.sampled_from([b"--b+1", b"\r\n", b"\n", b"--", b'; name="token"', b"x", b"=", b"&", b"%", b"token"]))
)
def test_no_form_breaks_the_redaction(pieces: list[bytes]) -> None:
    _redacted(b"".join(pieces), MULTIPART)
    _redacted(b"".join(pieces), URLENCODED)


@given(st.binary(max_size=80), st.sampled_from(["", *WIDE]), st.sampled_from([b"", b"\xff\xfe", b"\0\0\xfe\xff"]))
def test_no_bytes_break_the_redaction_of_wide_characters(body: bytes, charset: str, start: bytes) -> None:
    _redacted(start + body, ("content-type", f"text/plain; charset={charset}"))


def _bodies(record: object) -> list[bytes]:
    steps = record.steps  # type: ignore[attr-defined]
    exchanges = [exchange for each in steps for exchange in (each.pair.legacy, each.pair.target)]
    bodies = [exchange.response.body for exchange in exchanges if exchange.response]
    return [gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for body in bodies]
