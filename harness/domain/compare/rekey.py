"""Rewrites the ids inside a JSON document."""

import re
from collections.abc import Callable
from typing import Any

Image = Callable[[str, int | str], int | str]
"""Member name and the legacy's id to the target's id; the id itself where it means nothing known."""

_DIGITS = re.compile(r"\d+")
_GENERATED = tuple(
    re.compile(rf"(?=.*\d){letters}") for letters in (r"[0-9a-z_-]+", r"[0-9A-Z_-]+", r"[0-9A-Za-z_-]{16,}")
)
"""Random tokens: they hold a digit, which words mostly do not."""


def is_id_name(name: str) -> bool:
    """Whether a member or column names a row: `id`, `trade_id`, `tradeId`, and lists of those."""
    singular = name[:-1] if name.endswith("s") else name
    return singular in ("id", "ID", "Id") or singular.endswith(("_id", "Id"))


def may_name_one_row(legacy: object, target: object) -> bool:
    """Whether two keys can be each side's own name of the same row: numbers, or texts that were generated alike.

    `ORD-9` and `ORD-10` can, two uuids can; `SPY` and `spy` cannot: whoever chose a word meant that word.
    """
    if isinstance(legacy, int) and isinstance(target, int):
        return not isinstance(legacy, bool) and not isinstance(target, bool)
    if not isinstance(legacy, str) or not isinstance(target, str):
        return False
    if _DIGITS.sub("0", legacy) == _DIGITS.sub("0", target):
        return True
    return len(legacy) == len(target) and any(form.fullmatch(legacy) and form.fullmatch(target) for form in _GENERATED)


def rekey(value: Any, image: Image, name: str = "") -> Any:
    """The value with the ids of id-like members replaced; the very same object where nothing changes."""
    if isinstance(value, dict):
        members = {key: rekey(member, image, key) for key, member in value.items()}
        is_same = all(members[key] is member for key, member in value.items())
        return value if is_same else members
    if isinstance(value, list):
        elements = [rekey(element, image, name) for element in value]
        return value if all(a is b for a, b in zip(elements, value, strict=True)) else elements
    if isinstance(value, int | str) and not isinstance(value, bool) and name and is_id_name(name):
        replaced = image(name, value)
        return value if replaced == value and type(replaced) is type(value) else replaced
    return value
