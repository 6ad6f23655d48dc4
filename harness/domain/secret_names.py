"""Which names are those of secrets, and what below or under them is none."""

import re
from functools import lru_cache

NAMES = (
    r"[a-z0-9_-]{0,60}(?:password|passwd|passphrase|pwd|secret|token|credential|(?:api|access|private|secret)[_-]?key)s?"
    r"|[a-z0-9_-]{0,60}(?:password|token)[_-]?hash|authorization|jwt|session[_-]?id"
)
SECRET_NAME = re.compile(NAMES, re.IGNORECASE)
"""Names of JSON members, query parameters, form fields and columns whose values are secrets."""
_ROW_ID = re.compile(r"session[_-]?ids?", re.IGNORECASE)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether values under this name are secrets."""
    return SECRET_NAME.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def counts_rows(name: str) -> bool:
    """Whether a number under this secret name is none: rows are told apart by it. A text may let someone in."""
    return _ROW_ID.fullmatch(name) is not None
