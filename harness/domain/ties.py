"""Lists whose order among equal sort keys is open, also across the cut of a page."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

ANY_KEY = "*"
"""The sort keys are not known; names beside it are guesses."""


class ElementMatch(Protocol):
    """How two elements of such lists are compared."""

    volatile_names: frozenset[str]
    """Members of an element whose values differ between runs."""

    def is_same(self, recorded: Any, answered: Any) -> bool:
        """Whether they are one element, volatile members aside."""


def is_open_order(recorded: Any, answered: Any, tie: Sequence[str], match: ElementMatch) -> bool:
    """Whether two lists differ by nothing but what ties leave open.

    The sequence of sort keys must be the same. Between the first and the last run of equal keys the elements
    must be the same; in those two, which a page may cut, another element of equal key may stand.
    """
    if not _are_objects(recorded) or not _are_objects(answered) or len(recorded) != len(answered):
        return False
    for keys in _candidate_keys(recorded, tie):
        stable = tuple(key for key in keys if key not in match.volatile_names)
        is_same_sequence = _key_sequence(recorded, stable) == _key_sequence(answered, stable)
        if is_same_sequence and _is_aligned(recorded, answered, stable, match):
            return True
    return False


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(element, dict) for element in value)


def _candidate_keys(recorded: list[dict[str, Any]], tie: Sequence[str]) -> Iterator[tuple[str, ...]]:
    named = tuple(name for name in tie if name != ANY_KEY and not name.startswith("/"))
    if ANY_KEY in tie:
        # What comes with it are guesses, such as the values of the request's query.
        named = tuple(name for name in named if name in recorded[0])
    if named:
        yield named
        return
    # The keys are not known: of the members by which the recorded list is ordered, with at least one tie, the
    # finest. A member that is the same everywhere would leave any order open.
    distinct = {name: len({_text(element.get(name)) for element in recorded}) for name in recorded[0]}
    ordered = [
        name
        for name, count in distinct.items()
        if count < len(recorded) and _is_ordered([element.get(name) for element in recorded])
    ]
    finest = max((distinct[name] for name in ordered), default=0)
    yield from ((name,) for name in ordered if distinct[name] == finest)


def _is_ordered(values: list[Any]) -> bool:
    present = [value for value in values if value is not None]
    if not all(isinstance(value, str | int | float) for value in present):
        return False
    # Nulls stand together at one end.
    if (
        None in values
        and values != [None] * (len(values) - len(present)) + present
        and (values != present + [None] * (len(values) - len(present)))
    ):
        return False
    try:
        return present in (sorted(present), sorted(present, reverse=True))
    except TypeError:
        return False


def _is_aligned(recorded: list[Any], answered: list[Any], keys: tuple[str, ...], match: ElementMatch) -> bool:
    runs = [list(run) for _, run in groupby(range(len(recorded)), lambda index: _key(recorded[index], keys))]
    return all(
        _is_same_run([recorded[i] for i in run], [answered[i] for i in run], number in (0, len(runs) - 1), match)
        for number, run in enumerate(runs)
    )


def _is_same_run(recorded: list[Any], answered: list[Any], is_cut: bool, match: ElementMatch) -> bool:
    left = list(answered)
    unmatched: list[Any] = []
    for element in recorded:
        index = next((i for i, other in enumerate(left) if match.is_same(element, other)), None)
        if index is None:
            unmatched.append(element)
        else:
            left.pop(index)
    return not left or (is_cut and all(_can_stand_in(other, unmatched) for other in left))


def _can_stand_in(other: dict[str, Any], unmatched: list[Any]) -> bool:
    """Another element of the same form; the same element with other values is none."""
    return all(
        other.keys() == element.keys()
        and not any(other[name] == element[name] for name in element if _is_identity(name))
        for element in unmatched
    )


def _is_identity(name: str) -> bool:
    return name in {"id", "key"} or name.endswith("_id")


def _key_sequence(elements: list[Any], keys: tuple[str, ...]) -> list[str]:
    return [_key(element, keys) for element in elements]


def _key(element: dict[str, Any], keys: tuple[str, ...]) -> str:
    return _text([element.get(key) for key in keys])


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
