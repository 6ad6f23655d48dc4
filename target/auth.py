"""Who may write. Under AUTH_MODE=compat everyone, as in the legacy; under strict the bearer of a full token."""

from typing import Any

from fastapi import Request

from target.errors import AccessDenied
from target.secrets import SecretStore
from target.settings import AuthMode, Settings


async def guard_write(request: Request) -> None:
    """Let the request pass, or refuse it.

    Raises:
        AccessDenied: AUTH_MODE is strict and the token is absent, expired or not ours.
        SecretsUnavailable: AUTH_MODE is strict and the signing key cannot be had.
    """
    settings: Settings = request.app.state.settings
    if settings.auth_mode is not AuthMode.COMPAT:
        await require_token(request)


async def require_token(request: Request) -> None:
    """Let the request pass if it bears a token of ours, or refuse it, whatever AUTH_MODE is.

    Raises:
        AccessDenied: the token is absent, expired or not ours.
        SecretsUnavailable: the signing key cannot be had.
    """
    settings: Settings = request.app.state.settings
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AccessDenied("Not authenticated")
    secrets: SecretStore = request.app.state.secrets
    _check_token(token, await secrets.get_jwt_secret(), settings)


def _check_token(token: str, key: str, settings: Settings) -> None:
    import jwt  # noqa: PLC0415 - cryptography costs start-up time that compat mode never needs

    try:
        jwt.decode(
            token,
            key,
            algorithms=[settings.jwt_algorithm],
            **_demands(settings),
        )
    except jwt.ExpiredSignatureError:
        raise AccessDenied("Token has expired") from None
    except jwt.InvalidTokenError:
        raise AccessDenied("Invalid token") from None


def _demands(settings: Settings) -> dict[str, Any]:
    """Return what is asked beyond the signature: nothing in compat mode, as in the legacy."""
    if settings.auth_mode is AuthMode.COMPAT:
        return {}
    return {
        "audience": settings.jwt_audience,
        "issuer": settings.jwt_issuer,
        "options": {"require": ["exp", "aud", "iss"]},
    }
