"""Keeping secrets out of the log, whoever puts them into a message, a key or an exception."""

import json
import re

_HIDDEN = "***"
_SHORTEST = 6
"""A shorter value would also hide words that are no secret."""

# The password of an address, a JSON Web Token, a bearer of anything else, and a token in a query.
_PATTERNS = (
    (re.compile(r"(://[^:/@\s\"]*:)[^@\s\"]+@"), rf"\1{_HIDDEN}@"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), _HIDDEN),
    (re.compile(r"(?i)\b((?:bearer|token) )[\w.~+/=-]{8,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)([?&](?:token|apikey|api_key|password)=)[^&\s\"]+"), rf"\1{_HIDDEN}"),
)

_values: set[str] = set()


def hide_in_logs(secret: str) -> None:
    """Never let this value stand in a log line of this process again."""
    if len(secret) >= _SHORTEST:
        _values.update({secret, json.dumps(secret)[1:-1]})


def redact(line: str) -> str:
    """Return the line without the values told to `hide_in_logs` and without what looks like a secret."""
    for value in sorted(_values, key=len, reverse=True):
        line = line.replace(value, _HIDDEN)
    for pattern, replacement in _PATTERNS:
        line = pattern.sub(replacement, line)
    return line
