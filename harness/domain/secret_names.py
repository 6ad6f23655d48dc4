"""Which names are those of secrets, and what below or under them is none."""

import re
from functools import lru_cache

NAMES = (
    r"[a-z0-9_-]{0,60}(?:password|passwd|passphrase|pwd|secret|token|credential|(?:api|access|private|secret)[_-]?key)s?"
    r"|[a-z0-9_-]{0,60}(?:password|passwd|passphrase|pwd)[_-]?(?:\d{1,2}|confirm(?:ation|ed)?|again|repeat(?:ed)?)"
    r"|[a-z0-9_-]{0,60}(?:password|token)[_-]?hash|authorization|jwt|session[_-]?id"
)
SECRET_NAME = re.compile(NAMES, re.IGNORECASE)
"""Names of JSON members, query parameters, form fields and columns whose values are secrets."""
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-amz-security-token",
        "x-auth-token",
        "ocp-apim-subscription-key",
    }
)
"""Headers whose names do not say so, and those of which a part is none: a scheme, a cookie's name."""
_RULES_OF_SHARING = "access-control-"
"""Begins the headers of CORS, which say whether credentials may be sent, and hold none."""
_ROW_ID = re.compile(r"session[_-]?ids?", re.IGNORECASE)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether values under this name are secrets."""
    return SECRET_NAME.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def is_secret_header(name: str) -> bool:
    """Whether a header of this name, in any case, holds a secret as a whole."""
    lowered = name.lower()
    if lowered.startswith(_RULES_OF_SHARING):
        return False
    return lowered in SECRET_HEADERS or is_secret_name(lowered.removeprefix("x-"))


@lru_cache(maxsize=4096)
def counts_rows(name: str) -> bool:
    """Whether a number under this secret name is none: rows are told apart by it. A text may let someone in."""
    return _ROW_ID.fullmatch(name) is not None
