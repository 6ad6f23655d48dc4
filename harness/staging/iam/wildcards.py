"""IAM's wildcards: `*` for any characters, `?` for exactly one."""

import re
from functools import lru_cache


def matches(value: str, pattern: str) -> bool:
    """Whether the whole value fits the pattern; upper and lower case differ."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.DOTALL)
