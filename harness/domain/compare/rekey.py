"""Rewrites the ids inside a JSON document."""

from collections.abc import Callable
from typing import Any

Image = Callable[[str, int | str], int | str]
"""Member name and the legacy's id to the target's id; the id itself where it means nothing known."""


def is_id_name(name: str) -> bool:
    """Whether a member or column names a row: `id`, `trade_id`, `tradeId`, and lists of those."""
    singular = name[:-1] if name.endswith("s") else name
    return singular in ("id", "ID", "Id") or singular.endswith(("_id", "Id"))


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
