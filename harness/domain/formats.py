"""Whether two values are of one type and written in one format, whatever they say."""

import re
from typing import Any

_FORMATS = tuple(
    re.compile(pattern)
    for pattern in (
        # Microseconds are printed only when they are not zero, so they are no part of the format.
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)",
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?",
        r"\d{4}-\d\d-\d\d",
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"[0-9a-f]{8}",
        r"[0-9a-f]{32}",
    )
)
_ADDRESS = re.compile(r"0x[0-9a-f]+")
_DIGIT = re.compile(r"\d")
_LABEL = re.compile(r"\d{4,}")


def has_same_format(left: Any, right: Any) -> bool:
    """Same JSON type, and for texts the same kind of text.

    Dates, times, uuids and hexadecimal ids are told by their form; a text with a long number must be equal but for
    its digits and memory addresses; other texts need only be empty or not alike. Lists hold elements of the left
    one's first element's format, objects the same keys.
    """
    if type(left) is not type(right):
        return False
    if isinstance(left, str):
        return _has_same_text_format(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(has_same_format(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return not left or all(any(has_same_format(model, value) for model in left) for value in right)
    return True


def _has_same_text_format(left: str, right: str) -> bool:
    for form in _FORMATS:
        if form.fullmatch(left):
            return form.fullmatch(right) is not None
    if _LABEL.search(left) or _ADDRESS.search(left):
        return _skeleton(left) == _skeleton(right)
    return bool(left) == bool(right)


def _skeleton(text: str) -> str:
    return _DIGIT.sub("9", _ADDRESS.sub("0x", text))
