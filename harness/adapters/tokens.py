"""Bearer tokens for the `auth` kinds of a session, made from one side's secret."""

import warnings
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import jwt

from harness.domain.errors import ConfigurationError

_SUBJECT = "parakeet"
_LIFETIME = timedelta(hours=1)
_Claims = Callable[[datetime], dict[str, Any]]


def authorization_header(kind: str, secret: str, now: datetime) -> str:
    """The value of the Authorization header for an `auth` kind; `now` is aware.

    Raises:
        ConfigurationError: the kind is not one of `AUTH_KINDS`.
    """
    if kind not in AUTH_KINDS:
        known = ", ".join(sorted(AUTH_KINDS))
        raise ConfigurationError(f"unknown auth kind {kind!r}", hint=f"Use one of: {known}.")
    claims = _CLAIMS.get(kind, _valid)(now)
    key = _wrong(secret) if kind == "bad-signature" else secret
    signed = _sign(claims, key, _ALGORITHMS.get(kind, "HS256"))
    return _FORMS.get(kind, "Bearer {}").format(signed)


def _valid(now: datetime) -> dict[str, Any]:
    return {"sub": _SUBJECT, "exp": now + _LIFETIME}


def _expired(now: datetime) -> dict[str, Any]:
    return {"sub": _SUBJECT, "exp": now - _LIFETIME}


def _extra_claims(now: datetime) -> dict[str, Any]:
    return _valid(now) | {"roles": ["trader", "admin"], "iat": now - timedelta(seconds=1)}


_CLAIMS: Mapping[str, _Claims] = MappingProxyType(
    {
        "valid-no-exp": lambda _: {"sub": _SUBJECT},
        "expired": _expired,
        "valid-empty-claims": lambda _: {},
        "valid-extra-claims": _extra_claims,
        "nbf-future": lambda now: _valid(now) | {"nbf": now + _LIFETIME / 2},
        "iat-future": lambda now: _valid(now) | {"iat": now + _LIFETIME / 2},
        "aud-claim": lambda now: _valid(now) | {"aud": "somebody-else"},
        "sub-int": lambda now: _valid(now) | {"sub": 5},
        "exp-string": lambda now: _valid(now) | {"exp": "soon"},
    }
)
_ALGORITHMS: Mapping[str, str] = MappingProxyType({"alg-none": "none", "alg-hs512": "HS512"})
_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "valid-lowercase-scheme": "bearer {}",
        "valid-two-spaces": "Bearer  {}",
        "valid-no-scheme": "{}",
        "valid-trailing-text": "Bearer {} trailing",
    }
)

AUTH_KINDS = frozenset({"valid", "bad-signature", *_CLAIMS, *_ALGORITHMS, *_FORMS})
"""Every kind that a session may ask for."""


def _sign(claims: dict[str, Any], secret: str, algorithm: str) -> str:
    with warnings.catch_warnings():
        # The secret is the side's own: that it is short for the algorithm is not ours to judge.
        warnings.simplefilter("ignore")
        return jwt.encode(claims, secret if algorithm != "none" else "", algorithm=algorithm)


def _wrong(secret: str) -> str:
    return secret[::-1] + "-another-secret"
