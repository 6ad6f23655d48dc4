"""Lists whose order among equal sort keys is open, also across the cut of a page."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

ANY_KEY = "*"


class ElementMatch(Protocol):
    """How two elements of such lists are compared."""

    volatile_names: frozenset[str]
    """Members of an element whose values differ between runs."""

    def is_same(self, recorded: Any, answered: Any) -> bool:
        """Whether they are one element, volatile members aside."""


def find_open_order(recorded: Any, answered: Any, tie: Sequence[str], match: ElementMatch) -> list[Any] | None:
    """The answered elements in the recorded order, where the lists differ by what ties leave open only.

    The sequence of sort keys must be the same. Between the first and the last run of equal keys the elements
    must be the same; in those two, which a page may cut, an element may stand in for another one of equal key,
    and the recorded one is then returned in its place. None if the lists differ by more.
    """
    if not _are_objects(recorded) or not _are_objects(answered) or len(recorded) != len(answered):
        return None
    for keys in _candidate_keys(recorded, tie):
        stable = tuple(key for key in keys if key not in match.volatile_names)
        if _key_sequence(recorded, stable) == _key_sequence(answered, stable):
            aligned = _align(recorded, answered, stable, match)
            if aligned is not None:
                return aligned
    return None


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(element, dict) for element in value)


def _candidate_keys(recorded: list[dict[str, Any]], tie: Sequence[str]) -> Iterator[tuple[str, ...]]:
    named = tuple(name for name in tie if name != ANY_KEY and not name.startswith("/"))
    if named:
        yield named
        return
    # The keys are not known: any member by which the recorded list is ordered, with at least one tie, may be it.
    for name in recorded[0]:
        values = [element.get(name) for element in recorded]
        if len({_text(value) for value in values}) < len(values) and _is_ordered(values):
            yield (name,)


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


def _align(recorded: list[Any], answered: list[Any], keys: tuple[str, ...], match: ElementMatch) -> list[Any] | None:
    aligned: list[Any] = []
    runs = [list(run) for _, run in groupby(range(len(recorded)), lambda index: _key(recorded[index], keys))]
    for number, run in enumerate(runs):
        is_cut = number in (0, len(runs) - 1)
        found = _align_run([recorded[i] for i in run], [answered[i] for i in run], is_cut, match)
        if found is None:
            return None
        aligned += found
    return aligned


def _align_run(recorded: list[Any], answered: list[Any], is_cut: bool, match: ElementMatch) -> list[Any] | None:
    left = list(answered)
    aligned: list[Any] = []
    for element in recorded:
        index = next((i for i, other in enumerate(left) if match.is_same(element, other)), None)
        if index is not None:
            aligned.append(left.pop(index))
        elif is_cut:
            aligned.append(element)
        else:
            return None
    # What stands in for others must at least look like them.
    return aligned if all(other.keys() == recorded[0].keys() for other in left) else None


def _key_sequence(elements: list[Any], keys: tuple[str, ...]) -> list[str]:
    return [_key(element, keys) for element in elements]


def _key(element: dict[str, Any], keys: tuple[str, ...]) -> str:
    return _text([element.get(key) for key in keys])


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
