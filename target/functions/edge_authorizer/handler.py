"""Lambda authorizer (payload 2.0, simple answers): lets in what carries the edge's origin secret."""

import hmac
from typing import Any

from aws_lambda_powertools.utilities import parameters

from target.settings import load_settings

_settings = load_settings()
_KEY = "EDGE_ORIGIN_SECRET"


def handler(event: dict[str, Any], context: Any) -> dict[str, bool]:
    """Compares the identity source with the secret, in constant time; a failure lets nobody in."""
    ttl_s = int(_settings.secrets_cache_ttl_s)
    keys: Any = parameters.get_secret(_settings.api_keys_secret_name, transform="json", max_age=ttl_s)
    secret = str(keys.get(_KEY) or "")
    if not secret:
        raise RuntimeError(f"Secret {_settings.api_keys_secret_name!r} has no {_KEY}: add that key to it.")
    given = (event.get("identitySource") or [""])[0]
    return {"isAuthorized": hmac.compare_digest(given.encode(), secret.encode())}
