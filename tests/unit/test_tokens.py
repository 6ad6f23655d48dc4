"""Every auth kind makes the header that its name says."""

from datetime import UTC, datetime

import jwt
import pytest
from jwt.exceptions import InvalidSubjectError

from harness.adapters.tokens import AUTH_KINDS, authorization_header
from harness.domain.errors import ConfigurationError

_SECRET = "the-secret-of-one-side-long-enough-for-any-of-the-hmac-algorithms-here"


def _claims(kind: str) -> dict[str, object]:
    token = authorization_header(kind, _SECRET, datetime.now(UTC)).split()[1]
    claims: dict[str, object] = jwt.decode(token, _SECRET, algorithms=["HS256"])
    return claims


@pytest.mark.parametrize("kind", ["valid", "valid-no-exp", "valid-empty-claims", "valid-extra-claims"])
def test_valid_kinds_are_accepted(kind: str) -> None:
    _claims(kind)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("expired", jwt.ExpiredSignatureError),
        ("bad-signature", jwt.InvalidSignatureError),
        ("nbf-future", jwt.ImmatureSignatureError),
        ("iat-future", jwt.ImmatureSignatureError),
        ("aud-claim", jwt.InvalidAudienceError),
        ("sub-int", InvalidSubjectError),
        ("exp-string", jwt.DecodeError),
        ("alg-none", jwt.InvalidAlgorithmError),
        ("alg-hs512", jwt.InvalidAlgorithmError),
    ],
)
def test_refused_kinds_are_refused_for_their_own_reason(kind: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _claims(kind)


def test_the_claims_are_those_that_the_names_promise() -> None:
    assert "exp" not in _claims("valid-no-exp")
    assert _claims("valid-empty-claims") == {}
    assert {"roles", "iat", "exp"} <= set(_claims("valid-extra-claims"))


def test_the_forms_around_a_valid_token() -> None:
    now = datetime.now(UTC)
    token = authorization_header("valid", _SECRET, now).removeprefix("Bearer ")
    assert authorization_header("valid-lowercase-scheme", _SECRET, now) == f"bearer {token}"
    assert authorization_header("valid-two-spaces", _SECRET, now) == f"Bearer  {token}"
    assert authorization_header("valid-no-scheme", _SECRET, now) == token
    assert authorization_header("valid-trailing-text", _SECRET, now) == f"Bearer {token} trailing"


def test_every_kind_of_the_format_is_known() -> None:
    assert len(AUTH_KINDS) == 17


def test_an_unknown_kind_is_a_configuration_error_that_does_not_tell_the_secret() -> None:
    with pytest.raises(ConfigurationError, match="unknown auth kind") as caught:
        authorization_header("root", _SECRET, datetime.now(UTC))
    assert _SECRET not in str(caught.value)
