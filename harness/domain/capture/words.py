"""What a name says a value is an identifier of: `trade_id` and `/trades/17` are both about a trade."""

import re
from functools import lru_cache
from urllib.parse import unquote

from harness.domain.operation import generalise_path

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IDENTIFIERS = frozenset({"id", "ids", "uuid", "guid", "key", "ref", "slug"})
_MIN_OPAQUE = 16
_MIN_VARIABLE = 12
_GENERATED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_\-.~+/=:]+")


@lru_cache(maxsize=4096)
def is_identifier(name: str) -> bool:
    """Whether a member or parameter of this name holds what identifies something."""
    parts = _parts(name)
    return bool(parts) and parts[-1] in _IDENTIFIERS


@lru_cache(maxsize=4096)
def subjects(name: str) -> frozenset[str]:
    """The words of a name but those that say that it is an identifier, in the singular."""
    return frozenset(_singular(part) for part in _parts(name) if part not in _IDENTIFIERS)


@lru_cache(maxsize=4096)
def subjects_of_path(path: str) -> frozenset[str]:
    """The words of the last segment of a path that is no identifier itself."""
    for segment in reversed(generalise_path(path).split("/")):
        if segment and segment != "{}":
            return subjects(unquote(segment))
    return frozenset()


def is_opaque(text: str) -> bool:
    """Whether a text looks made by a machine, so that it is hardly twice the same by accident."""
    if len(text) < _MIN_VARIABLE or text.isdigit():
        return False
    if generalise_path(text) == "{}":
        return True
    return len(text) >= _MIN_OPAQUE and _GENERATED.fullmatch(text) is not None


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PART.findall(name)]


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
