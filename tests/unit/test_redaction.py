"""Secrets are replaced, everything else stays byte for byte, equality stays checkable."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.redaction import Redactor, secrets_worth_hiding

REDACTOR = Redactor(key=b"k" * 32)
OTHER = Redactor(key=b"o" * 32)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (b'{"access_token": "s3cr3t", "n": 1.50,  "n": 2}', b'{"access_token": "*", "n": 1.50,  "n": 2}'),
        (b'{"PassWord":"s3cr3t"}', b'{"PassWord":"*"}'),
        (b'{"db_password":"s3cr3t"}', b'{"db_password":"*"}'),
        (b'{"apiKey":"s3\\"cr3t"}', b'{"apiKey":"*"}'),
        (b"grant=x&client_secret=s3cr3t&z=1", b"grant=x&client_secret=*&z=1"),
        (b'"postgresql://u:s3cr3t@h/db"', b'"postgresql://u:*@h/db"'),
        (f'["{JWT}"]'.encode(), b'["*"]'),
        (b'{"password":"s3cr3t', b'{"password":"*'),
        (b'{"tokens": [null, "s3cr3t", ""]}', b'{"tokens": [null, "*", ""]}'),
        (b'{"newPassword":"s3cr3t"}', b'{"newPassword":"*"}'),
        (b'{"SecretAccessKey":"s3cr3t"}', b'{"SecretAccessKey":"*"}'),
        (b'{"password_hash":"s3cr3t"}', b'{"password_hash":"*"}'),
        (b"csrfToken=s3cr3t&z=1", b"csrfToken=*&z=1"),
        (b'{"password2": "s3cr3t"}', b'{"password2": "*"}'),
        (b'{"passwordConfirm": "s3cr3t"}', b'{"passwordConfirm": "*"}'),
        (b"new_password1=&password_confirmation=s3cr3t", b"new_password1=&password_confirmation=*"),
        (rb'{"p\u0061ss\u0057ord" : "s3cr3t"}', rb'{"p\u0061ss\u0057ord" : "*"}'),
        (rb'{"d": "{\"p\\u0061ssword\":\"s3cr3t\"}"}', rb'{"d": "{\"p\\u0061ssword\":\"*\"}"}'),
        (b'[{"name": "db_password", "value": "s3cr3t"}]', b'[{"name": "db_password", "value": "*"}]'),
        (rb'{"d": "{\"key\":\"pwd\",\"value\":\"s3cr3t\"}"}', rb'{"d": "{\"key\":\"pwd\",\"value\":\"*\"}"}'),
        (
            b'<u:Password type="text"> s3cr3t\n</u:Password><n>5</n>',
            b'<u:Password type="text"> *\n</u:Password><n>5</n>',
        ),
        (b"<tokens><a><b>s3cr3t</b></a></tokens><b>c</b>", b"<tokens><a><b>*</b></a></tokens><b>c</b>"),
        (b"<token><token></token>s3cr3t</token>a", b"<token><token></token>*</token>a"),
        (b"<token><![CDATA[s3cr3t]]></token>", b"<token>*</token>"),
        (b"<token>s3&#99;r3t", b"<token>*"),
        (b"<db password='s3cr3t' name=\"a\"/>b", b"<db password='*' name=\"a\"/>b"),
        (b'<input name="csrf_token" value="s3cr3t"><b>c</b>', b'<input name="csrf_token" value="*"><b>c</b>'),
        (b"<meta content=s3cr3t name=csrf-token />", b"<meta content=* name=csrf-token />"),
    ],
)
def test_secrets_in_bodies_are_replaced_and_the_rest_is_untouched(before: bytes, kept: bytes) -> None:
    after = REDACTOR.data(before)
    head, tail = kept.split(b"*")
    assert after.startswith(head + b"[redacted:")
    assert after.endswith(b"]" + tail) or not tail
    assert b"cr3t" not in after
    assert REDACTOR.data(after) == after


@pytest.mark.parametrize(
    "body",
    [
        b'{"token": null, "password": true, "secret": "", "session_id": 12, "tokens": [], "secrets": [{"n": null}]}',
        b'{"token": {"id": 7, "user_ids": [1, 2], "expires_at": "2026-02-04T12:00:00Z", "used": false, "scopes": {}}}',
        b'{"note": "say \\"token\\\\\\": 5 and \\"token\\" are no members"}',
        b'{"key": "GLD", "monkey": "a", "next": "session token"}',
        b'{"secretary": "Ann", "passport_no": "x", "token_type": "Bearer", "AccessKeyId": "AKIA"}',
        rb'{"n\u0061me": "Ann", "password": null}',
        b"\xff\xfe\x00key",
        b"",
        b"<password/>a <b>b</b><token></token>c<br>",
        b'<input name="q" value="a token"> a < token > b',
        b'[{"name": "password", "label": "Password", "value": "a"}]',
    ],
)
def test_what_is_no_secret_stays(body: bytes) -> None:
    assert REDACTOR.data(body) == body


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (b'{"password": {"value": "s3cr3t"}, "n": 5}', b'{"password": {"value": "*"}, "n": 5}'),
        (b'{"password": {"n": 7, "l": [1.5]}}', b'{"password": {"n": "#7", "l": ["#1.5"]}}'),
        (b'{"tokens": [{"of": "s3cr3t", "id": 8}, ["s3cr3t"]]}', b'{"tokens": [{"of": "*", "id": 8}, ["*"]]}'),
        (b'{"token": {"a": {"b": {"c": "s3cr3t"}}}, "id": 1}', b'{"token": {"a": {"b": {"c": "*"}}}, "id": 1}'),
        (b'{"token": {"a": "s3cr3t', b'{"token": {"a": "*'),
        (b'{"token": {"token": "2026-02-04T12:00:00Z"}}', b'{"token": {"token": "@2026-02-04T12:00:00Z"}}'),
        (
            rb'{"doc": "{\"password\": \"s3cr3t\", \"n\": 5}", "n": 5}',
            rb'{"doc": "{\"password\": \"*\", \"n\": 5}", "n": 5}',
        ),
        (rb'{"doc": "{\n  \"pwd\":\n 7}"}', rb'{"doc": "{\n  \"pwd\":\n \"#7\"}"}'),
        (rb'{"doc": "{\"d\": \"{\\\"pwd\\\":\\\"s3cr3t\\\"}\"}"}', rb'{"doc": "{\"d\": \"{\\\"pwd\\\":\\\"*\\\"}\"}"}'),
        (rb'{"doc": "{\"tokens\": [\"s3cr3t\", {\"a\": 7}]}"}', rb'{"doc": "{\"tokens\": [\"*\", {\"a\": \"#7\"}]}"}'),
        (rb'{"doc": "{\"token\": {\"a\": \"s3cr3t", "n": "5"}', rb'{"doc": "{\"token\": {\"a\": \"*", "n": "5"}'),
    ],
)
def test_everything_below_a_secret_name_and_in_texts_within_texts_is_replaced(before: bytes, kept: bytes) -> None:
    expected = kept.replace(b"*", _mark("s3cr3t")).replace(b"@2026-02-04T12:00:00Z", _mark("2026-02-04T12:00:00Z"))
    for number in ("7", "1.5"):
        expected = expected.replace(b"#" + number.encode(), REDACTOR.number(number).encode())
    assert REDACTOR.data(before) == expected
    assert REDACTOR.data(expected) == expected


@pytest.mark.parametrize("levels", [1, 2, 3])
@given(secret=st.text(min_size=1), number=st.integers())
def test_a_text_within_texts_is_still_the_same_json_but_for_its_secrets(levels: int, secret: str, number: int) -> None:
    document: Any = {"n": number, "token": {"v": secret, "l": [secret, None]}}
    for _ in range(levels):
        document = {"doc": json.dumps(document), "n": number}
    stored = json.loads(REDACTOR.data(json.dumps(document).encode()))
    for _ in range(levels):
        assert stored["n"] == number
        stored = json.loads(stored["doc"])
    mark = REDACTOR.secret(secret)
    assert stored == {"n": number, "token": {"v": mark, "l": [mark, None]}}


def test_equal_secrets_have_equal_marks_however_they_are_escaped() -> None:
    plain, escaped = (json.dumps({"pwd": "é/\n"}, ensure_ascii=ascii).encode() for ascii in (False, True))
    assert REDACTOR.data(plain) == REDACTOR.data(escaped) == REDACTOR.data(escaped.replace(b"/", rb"\/"))


def test_equal_secrets_have_equal_marks_in_markup_too() -> None:
    texts = (b"s&amp;3", b"<![CDATA[s&3]]>", b"s&#38;3")
    assert {REDACTOR.data(b"<pwd>%b</pwd>" % each) for each in texts} == {b"<pwd>%b</pwd>" % _mark("s&3")}
    assert REDACTOR.data(b'<a pwd="s&amp;3"/>') == b'<a pwd="%b"/>' % _mark("s&3")


def _mark(text: str) -> bytes:
    return REDACTOR.secret(text).encode()


@pytest.mark.parametrize("number", ["5", "-1", "1.50", "1e+20", "123456789012345678901234567890"])
def test_a_number_that_is_a_secret_is_replaced_and_never_equals_the_text(number: str) -> None:
    as_number, as_text = (REDACTOR.data(b'{"pwd": %b, "n": 5}' % each.encode()) for each in (number, f'"{number}"'))
    assert as_number == as_text.replace(b"[redacted:", b"[redacted:number:")
    assert REDACTOR.data(as_number) == as_number
    assert REDACTOR.value("pwd", number) == as_number[8:-9].decode()
    assert REDACTOR.value("pwd", "null") == "null"


def test_equal_secrets_stay_equal_and_the_hash_needs_the_key() -> None:
    first, again, different = (REDACTOR.secret(text) for text in ("a", "a", "b"))
    assert first == again != different
    assert OTHER.secret("a") != first


def test_secret_headers_keep_scheme_cookie_name_and_attributes() -> None:
    headers = REDACTOR.headers(
        (
            ("Authorization", "Bearer abc"),
            ("set-cookie", "sid=abc; Path=/; HttpOnly"),
            ("Cookie", "a=abc; b=2"),
            ("X", "abc"),
        )
    )
    mark, two = REDACTOR.secret("abc"), REDACTOR.secret("2")
    assert headers == (
        ("Authorization", f"Bearer {mark}"),
        ("set-cookie", f"sid={mark}; Path=/; HttpOnly"),
        ("Cookie", f"a={mark}; b={two}"),
        ("X", "abc"),
    )


@pytest.mark.parametrize(
    "name", ["X-Access-Token", "x-csrf-token", "Api-Key", "X-Client-Secret", "X-Goog-Api-Key", "X-Session-Id"]
)
def test_a_header_of_a_secret_name_is_one(name: str) -> None:
    mark = REDACTOR.secret("abc")
    assert REDACTOR.headers(((name, "abc"), (name, "Bearer abc"))) == ((name, mark), (name, f"Bearer {mark}"))
    assert REDACTOR.headers(((name, "two words"),)) == ((name, REDACTOR.secret("two words")),)


def test_a_header_that_is_only_about_secrets_stays() -> None:
    headers = (
        ("Access-Control-Allow-Headers", "x-csrf-token"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Sec-WebSocket-Key", "abc"),
        ("Idempotency-Key", "a"),
    )
    assert REDACTOR.headers(headers) == headers


def test_known_secrets_are_replaced_wherever_they_appear() -> None:
    redactor = Redactor(key=b"k" * 32, known=secrets_worth_hiding(["long-enough-secret", "short", None]))
    assert "long-enough-secret" not in redactor.text("/x/long-enough-secret/short")
    assert redactor.text("/x/short") == "/x/short"
    assert "long-enough-secret" not in repr(redactor)


@given(st.binary(max_size=300))
def test_redaction_is_idempotent(body: bytes) -> None:
    once = REDACTOR.data(body)
    assert REDACTOR.data(once) == once


HOSTILE = (b"a", b"eyJ", b"\\", rb"\\u00", b" ", b'"token', b'"token"', b'"token" ', b"://a", b"a:", b"[", b"9", rb"\"")


@pytest.mark.parametrize("unit", HOSTILE, ids=repr)
def test_what_was_made_to_be_slow_is_read_once(unit: bytes) -> None:
    # From each byte to the end anew, it would take minutes.
    hostile = b'"token @ eyJ' + unit * (300_000 // len(unit))
    assert REDACTOR.data(REDACTOR.data(hostile)) == REDACTOR.data(hostile)
    REDACTOR.data(b'{"token":{"a":"' + hostile)
    REDACTOR.data(b'{"token":"' + hostile)
    REDACTOR.headers(
        (("cookie", hostile.decode()), ("set-cookie", hostile.decode()), ("authorization", hostile.decode()))
    )
    REDACTOR.url(hostile.decode())
