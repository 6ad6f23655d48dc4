"""Durations as users write them."""

import re

from harness.domain.errors import ConfigurationError

_DURATION = re.compile(r"(\d+)(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}
_LONGEST_S = 3600


def seconds_of(text: str, option: str) -> int:
    """Whole seconds of a text such as 15s, 2m or 1h.

    Raises:
        ConfigurationError: it is no duration from a second to an hour.
    """
    match = _DURATION.fullmatch(text.strip())
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 1 <= seconds <= _LONGEST_S:
        hint = "Give it as 15s, 2m or 1h: at least a second, at most an hour."
        raise ConfigurationError(f"{text!r} is no run time", where=option, hint=hint)
    return seconds
