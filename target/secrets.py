"""Credentials: from Secrets Manager in Lambda, from the environment elsewhere."""

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping

from pydantic import SecretStr

from target.collection import collection_paused
from target.errors import SecretsUnavailable
from target.observability.redaction import hide_in_logs
from target.settings import Settings

SecretFetcher = Callable[[Settings, str], Awaitable[Mapping[str, str]]]

_log = logging.getLogger(__name__)


async def fetch_secret(settings: Settings, name: str) -> Mapping[str, str]:
    """Fetch the secret of this name and return its keys.

    Raises:
        SecretsUnavailable: denied, absent, unreachable or not a JSON object of texts.
    """
    # Here, not at the top: a warm or local process never needs it.
    with collection_paused():
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        from target.secrets_manager import SecretRefused, get_secret_string  # noqa: PLC0415

    try:
        text = await asyncio.to_thread(get_secret_string, settings.aws_region, name)
    except SecretRefused as error:
        raise SecretsUnavailable(_explain(name, error.code)) from error
    except (BotoCoreError, OSError) as error:
        raise SecretsUnavailable(
            f"Secrets Manager does not answer for {name!r} ({type(error).__name__}): "
            "check the function's network path and AWS_ENDPOINT_URL."
        ) from error
    return _parse_secret(name, text)


class SecretStore:
    """One execution environment's credentials, by what they are for; each secret is kept as `_KeptSecret` says."""

    def __init__(
        self, settings: Settings, *, fetch: SecretFetcher = fetch_secret, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._database = _KeptSecret(settings, settings.aws_secrets_manager_name, fetch, clock)
        self._api_keys = _KeptSecret(settings, settings.api_keys_secret_name, fetch, clock)

    def __repr__(self) -> str:
        return f"SecretStore({self._settings.aws_secrets_manager_name!r})"

    async def get_database_credentials(self) -> Mapping[str, str]:
        """Return a mapping that has NEON_DATABASE_URL, with an async driver.

        Raises:
            SecretsUnavailable: Secrets Manager is the source and does not give an address.
        """
        if not self._settings.reads_secrets_manager:
            return {"NEON_DATABASE_URL": self._settings.database_url_async}
        secret = await self._database.get()
        address = secret.get("NEON_DATABASE_URL") or secret.get("DATABASE_URL")
        if not address:
            raise SecretsUnavailable(
                f"Secret {self._settings.aws_secrets_manager_name!r} has no NEON_DATABASE_URL: add that key to it."
            )
        return {**secret, "NEON_DATABASE_URL": _async_address(address)}

    async def get_jwt_secret(self, *, max_age_s: float | None = None) -> str:
        """Return the key that tokens are signed with, fetched at most `max_age_s` ago where that is given.

        Raises:
            SecretsUnavailable: neither Secrets Manager nor the environment has one.
        """
        secret = await self._database.get(max_age_s=max_age_s) if self._settings.reads_secrets_manager else {}
        value = secret.get("JWT_SECRET") or self._settings.jwt_secret.get_secret_value()
        if not value:
            raise SecretsUnavailable(
                "No JWT_SECRET in the secret or in the environment: set one before AUTH_MODE=strict."
            )
        return value

    async def get_tiingo_token(self) -> SecretStr:
        """Return Tiingo's token, empty where there is none; a variable that is set spares asking for the secret.

        Raises:
            SecretsUnavailable: Secrets Manager is the source and does not answer.
        """
        given = self._settings.tiingo_api_key
        if given.get_secret_value() or not self._settings.reads_secrets_manager:
            return given
        return SecretStr((await self._api_keys.get()).get("TIINGO_API_KEY", ""))

    def forget(self) -> None:
        """Fetch the database's anew next time: the credentials were refused, so they were probably rotated."""
        self._database.forget()


class _KeptSecret:
    """Keeps one secret in memory: fetched when first needed, again after its time to live.

    Concurrent callers share one fetch. A refresh that fails keeps serving the value that is known.
    """

    def __init__(self, settings: Settings, name: str, fetch: SecretFetcher, clock: Callable[[], float]) -> None:
        self._settings, self._name, self._fetch, self._clock = settings, name, fetch, clock
        self._lock = asyncio.Lock()
        self._known: Mapping[str, str] | None = None
        self._fetched_at = 0.0

    async def get(self, *, max_age_s: float | None = None) -> Mapping[str, str]:
        """Return its keys, asked for at most `max_age_s` ago (the settings' time to live by default).

        Raises:
            SecretsUnavailable: it cannot be fetched, and none is known from before.
        """
        async with self._lock:
            age_s = self._clock() - self._fetched_at
            if self._known is None or age_s >= min(max_age_s or math.inf, self._settings.secrets_cache_ttl_s):
                self._known = await self._refreshed()
                self._fetched_at = self._clock()
            return self._known

    def forget(self) -> None:
        """Fetch anew next time."""
        self._known = None

    async def _refreshed(self) -> Mapping[str, str]:
        try:
            return await self._fetch(self._settings, self._name)
        except SecretsUnavailable as error:
            if self._known is None:
                raise
            _log.warning("Keeping the known secret: %s", error)
            return self._known


def _explain(name: str, code: str) -> str:
    hints = {
        "AccessDeniedException": "allow secretsmanager:GetSecretValue on its ARN in the function's role.",
        "ResourceNotFoundException": "create it, or correct AWS_SECRETS_MANAGER_NAME and AWS_REGION.",
    }
    hint = hints.get(code, "try again, then see its status.")
    return f"Secret {name!r} cannot be read ({code or 'unknown error'}): {hint}"


def _parse_secret(name: str, text: object) -> Mapping[str, str]:
    try:
        secret = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        secret = None
    if not isinstance(secret, dict):
        raise SecretsUnavailable(f'Secret {name!r} is not a JSON object: store it as {{"NEON_DATABASE_URL": ...}}.')
    keys = {str(key): value for key, value in secret.items() if isinstance(value, str)}
    for value in keys.values():
        hide_in_logs(value)
    return keys


def _async_address(address: str) -> str:
    # Here, not at the top: whoever asks for another secret is spared SQLAlchemy.
    from target.database.urls import async_database_url  # noqa: PLC0415

    try:
        return async_database_url(address)
    except ValueError as error:
        raise SecretsUnavailable(f"The secret's NEON_DATABASE_URL cannot be used. {error}") from None
