"""Which tokens are ours: the attacks that are known, and what each mode demands."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from target.settings import Settings
from target.tokens import Verdict, check_token

KEY = "a-signing-key-that-is-long-enough-for-every-hash-of-these-tests-0123456789"
COMPAT = Settings(_env_file=None)
STRICT = Settings(_env_file=None, auth_mode="strict")
_DISTANT = 4_102_444_800  # the year 2100
BOTH = pytest.mark.parametrize("settings", [COMPAT, STRICT], ids=["compat", "strict"])


def claims(settings: Settings, **changes: Any) -> dict[str, Any]:
    """What the mode asks for at least, changed; None removes."""
    least = {"sub": "u", "exp": time.time() + 60}
    if settings is STRICT:
        least |= {"aud": settings.jwt_audience, "iss": settings.jwt_issuer}
    return {name: value for name, value in (least | changes).items() if value is not None}


def signed(settings: Settings, *, key: str = KEY, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(settings, **changes), key, algorithm=algorithm)


def raw(header: str, payload: str, key: bytes = KEY.encode()) -> str:
    """A token signed by hand, so that neither part has to be what a library would write."""
    parts = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in (header, payload)]
    signature = hmac.new(key, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@BOTH
def test_a_proper_token_is_accepted(settings: Settings):
    assert check_token(signed(settings), KEY, settings) is Verdict.ACCEPTED


@BOTH
def test_an_unsigned_token_is_refused(settings: Settings):
    for algorithm in ("none", "None", "NONE", ""):
        token = raw(json.dumps({"alg": algorithm, "typ": "JWT"}), json.dumps(claims(settings)))
        assert check_token(token, KEY, settings) is Verdict.INVALID
        assert check_token(token.rpartition(".")[0] + ".", KEY, settings) is Verdict.INVALID


@BOTH
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_under_the_right_key_is_refused(settings: Settings, algorithm: str):
    assert check_token(signed(settings, algorithm=algorithm), KEY, settings) is Verdict.INVALID


@BOTH
def test_a_token_of_an_asymmetric_algorithm_is_refused(settings: Settings):
    token = jwt.encode(claims(settings), rsa.generate_private_key(65537, 2048), algorithm="RS256")
    assert check_token(token, KEY, settings) is Verdict.INVALID


@BOTH
@pytest.mark.parametrize("name", ["kid", "jku", "x5u", "jwk", "x5c"])
def test_a_header_cannot_name_the_key(settings: Settings, name: str):
    theirs = "another-key-that-is-long-enough-for-every-hash-of-these-tests-0123456789"
    named = {"kid": "../../dev/null", "jwk": {"kty": "oct", "k": theirs}, "x5c": [theirs]}
    header = json.dumps({"alg": "HS256", name: named.get(name, "http://127.0.0.1:9/key")})
    token = raw(header, json.dumps(claims(settings)), theirs.encode())
    assert check_token(token, KEY, settings) in {Verdict.WRONG_SIGNATURE, Verdict.INVALID}


@BOTH
def test_an_expired_token_is_told_apart(settings: Settings):
    assert check_token(signed(settings, exp=time.time() - 1), KEY, settings) is Verdict.EXPIRED


@BOTH
@pytest.mark.parametrize(
    "changes",
    [
        {"nbf": _DISTANT},
        {"iat": _DISTANT},
        {"aud": "another"},
        {"aud": ["another"]},
        {"exp": "tomorrow"},
        {"exp": []},
    ],
    ids=str,
)
def test_a_claim_that_does_not_hold_is_refused(settings: Settings, changes: dict[str, Any]):
    assert check_token(signed(settings, **changes), KEY, settings) is Verdict.INVALID


@BOTH
@pytest.mark.parametrize("subject", [1, ["u"], {"u": 1}, True])
def test_a_subject_that_is_no_text_is_refused(settings: Settings, subject: object):
    token = raw('{"alg":"HS256"}', json.dumps(claims(settings, sub=subject)))
    assert check_token(token, KEY, settings) is Verdict.INVALID


@pytest.mark.parametrize("name", ["exp", "aud", "iss"])
def test_strict_demands_what_compat_does_not(name: str):
    assert check_token(signed(STRICT, **{name: None}), KEY, STRICT) is Verdict.INVALID


def test_strict_refuses_another_issuer_and_compat_does_not_look():
    assert check_token(signed(STRICT, iss="another"), KEY, STRICT) is Verdict.INVALID
    assert check_token(signed(COMPAT, iss="another"), KEY, COMPAT) is Verdict.ACCEPTED
    assert check_token(signed(COMPAT, exp=None), KEY, COMPAT) is Verdict.ACCEPTED


@BOTH
@pytest.mark.parametrize(
    ("header", "payload"),
    [
        ('{"alg":"HS256","x":' + "[" * 3000 + "]" * 3000 + "}", "{}"),
        ('{"alg":"HS256"}', '{"x":' + "[" * 100_000 + "]" * 100_000 + "}"),
        ('{"alg":"HS256"}', '{"exp":Infinity}'),
        ('{"alg":"HS256"}', '{"exp":NaN}'),
        ('{"alg":"HS256"}', '{"exp":1e999}'),
        ('{"alg":"HS256"}', "[]"),
        ('{"alg":["HS256"]}', "{}"),
        ('{"alg":"HS256","crit":["b64"],"b64":false}', "{}"),
        ("[]", "{}"),
        ("\x00", "\x00"),
    ],
    ids=range(10),
)
def test_nothing_in_a_token_makes_the_check_itself_fail(settings: Settings, header: str, payload: str):
    assert check_token(raw(header, payload), KEY, settings) in {Verdict.INVALID, Verdict.EXPIRED}


@BOTH
@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "é.é.é", "a" * 100_000, "." * 100_000, "\udcff.a.b"], ids=range(8)
)
def test_what_is_no_token_is_refused(settings: Settings, token: str):
    assert check_token(token, KEY, settings) is Verdict.INVALID


def test_strict_accepts_one_way_of_writing_a_token():
    token = signed(STRICT)
    for written in (f" {token}", f"{token}=", token.replace(".", "!.", 1), f"{token}\n"):
        assert check_token(written, KEY, STRICT) is Verdict.INVALID


def test_strict_refuses_a_token_longer_than_any_of_ours():
    assert check_token(signed(STRICT, note="x" * 4000), KEY, STRICT) is Verdict.INVALID
    assert check_token(signed(COMPAT, note="x" * 4000), KEY, COMPAT) is Verdict.ACCEPTED
