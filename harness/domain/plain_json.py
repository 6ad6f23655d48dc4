"""JSON that a client or a system wrote, which may be nested deeper than anything here can walk or write again."""

import json
from typing import Any

MAX_DEPTH = 200


def load_json(text: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, or nested deeper than `MAX_DEPTH`.
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if _is_deep(value):
        raise ValueError("nested too deep")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return False
        level = [inner for outer in level for inner in _members(outer) if isinstance(inner, dict | list)]
    return bool(level)


def _members(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
