"""Who may do what: the one guard of all routers.

Under AUTH_MODE=compat writes are open and a few routes take any token that the legacy takes; under strict every write
and every guarded route takes a full token alone.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from target.errors import AccessDenied
from target.secrets import SecretStore
from target.settings import AuthMode, Settings
from target.tokens import Verdict, check_token

ROTATION_IS_SUSPECTED_AFTER_S = 30.0
"""A signature that does not fit makes this process look for a new key, but never more often than this."""

Documented = Annotated[object, Depends(HTTPBearer(auto_error=False))]
"""For the API's document alone. The header is read here: FastAPI forgives spaces that the legacy does not."""


async def guard_write(request: Request) -> None:
    """Let a write pass, or refuse it.

    Raises:
        AccessDenied: AUTH_MODE is strict and the token is absent, expired or not ours.
        SecretsUnavailable: AUTH_MODE is strict and the signing key cannot be had.
    """
    settings: Settings = request.app.state.settings
    if settings.auth_mode is not AuthMode.COMPAT:
        await require_token(request)


async def require_token(request: Request, _scheme: Documented = None) -> None:
    """Let the request pass if it bears a token of ours, or refuse it, whatever AUTH_MODE is.

    Raises:
        AccessDenied: the token is absent, expired or not ours.
        SecretsUnavailable: the signing key cannot be had.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AccessDenied("Not authenticated")
    settings: Settings = request.app.state.settings
    if settings.auth_mode is not AuthMode.COMPAT and len(request.headers.getlist("Authorization")) > 1:
        raise AccessDenied(Verdict.INVALID)  # which of them counts would depend on who reads
    verdict = await _judge(token, request.app.state.secrets, settings)
    if verdict is not Verdict.ACCEPTED:
        raise AccessDenied("Invalid token" if verdict is Verdict.WRONG_SIGNATURE else verdict)


async def _judge(token: str, secrets: SecretStore, settings: Settings) -> Verdict:
    key = await secrets.get_jwt_secret()
    verdict = check_token(token, key, settings)
    if verdict is not Verdict.WRONG_SIGNATURE:
        return verdict
    newer = await secrets.get_jwt_secret(max_age_s=ROTATION_IS_SUSPECTED_AFTER_S)
    return verdict if newer == key else check_token(token, newer, settings)
