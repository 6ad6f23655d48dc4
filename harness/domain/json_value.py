"""The one text of a JSON value, as PostgreSQL's jsonb would keep it: no order of members, no spelling of numbers."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal

_MOST_DIGITS = 150_000
"""Beyond what any numeric of PostgreSQL holds; a short exponent must not become a long text."""
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class _Number(str):
    """A number's one text, told from a string."""

    __slots__ = ()


def canonical_json(text: str) -> str | None:
    """A text that is the same for the same value; None for what jsonb does not hold as it is.

    That is no JSON at all, NaN, a name that an object has twice, and text with NUL or half a surrogate pair. Numbers
    keep their decimals, so that 1.0 and 1 stay two values.
    """
    try:
        value = json.loads(
            text, parse_int=_number, parse_float=_number, parse_constant=_refuse, object_pairs_hook=_members
        )
        return _written(value)
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> _Number:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(text)
    plain = format(number, "f")
    return _Number(plain if number else plain.removeprefix("-"))


def _refuse(text: str) -> object:
    raise ValueError(text)


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice")
    return members


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_written(name)}:{_written(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, str) and not isinstance(value, _Number) and _NOT_STORABLE.search(value):
        raise ValueError(value)
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)
