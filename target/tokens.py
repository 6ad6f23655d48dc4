"""Whether a bearer token is ours."""

import re
from enum import StrEnum
from typing import Any

from target.settings import AuthMode, Settings

_LONGEST = 4096
_SEGMENTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""RFC 7515, section 2. Libraries skip what is not base64url, so that one token could be written in many ways."""


class Verdict(StrEnum):
    """What is found; the texts are the contract's, but for a wrong signature, which clients are told as INVALID."""

    ACCEPTED = "Accepted"
    EXPIRED = "Token has expired"
    INVALID = "Invalid token"
    WRONG_SIGNATURE = "Wrong signature"


def check_token(token: str, key: str, settings: Settings) -> Verdict:
    """Judge a token by its signature under one algorithm and by its claims; no header of its own chooses a key.

    Under AUTH_MODE=compat as the legacy does: no claim is demanded, but `exp`, `nbf`, `iat` and `sub` are checked
    where they are there, and `aud` is refused. Under strict `exp`, `aud` and `iss` are demanded.
    Source: contract section 1, RFC 8725 section 3.
    """
    import jwt  # noqa: PLC0415 - cryptography costs start-up time that a process without guarded routes never needs

    if settings.auth_mode is not AuthMode.COMPAT and not _is_canonical(token):
        return Verdict.INVALID
    try:
        jwt.decode(token, key, algorithms=[settings.jwt_algorithm], **_demands(settings))
    except jwt.ExpiredSignatureError:
        return Verdict.EXPIRED
    except jwt.InvalidSignatureError:
        return Verdict.WRONG_SIGNATURE
    except (jwt.InvalidTokenError, ValueError, RecursionError, ArithmeticError):  # nested headers; infinite `exp`
        return Verdict.INVALID
    return Verdict.ACCEPTED


def _is_canonical(token: str) -> bool:
    return len(token) <= _LONGEST and _SEGMENTS.fullmatch(token) is not None


def _demands(settings: Settings) -> dict[str, Any]:
    if settings.auth_mode is AuthMode.COMPAT:
        return {}
    return {
        "audience": settings.jwt_audience,
        "issuer": settings.jwt_issuer,
        "options": {"require": ["exp", "aud", "iss"]},
    }
