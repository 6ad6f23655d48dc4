"""What JSON can carry of a value."""

import math


def representable(value: object) -> object:
    """Return `value` as JSON in UTF-8 can carry it: non-finite numbers become null, lone surrogates U+FFFD."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {representable(key): representable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [representable(item) for item in value]
    return value
