"""Pairs the elements of two lists: by key where one is known, otherwise by edit distance."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any

from harness.domain.compare.document import fingerprint
from harness.domain.compare.edit import common_runs, pair_by_likeness, pair_most_alike

_MAX_LIKENESS_CELLS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Which element answers to which: index pairs in legacy order, and what only one side has."""

    pairs: list[tuple[int, int]]
    missing: list[int]
    extra: list[int]
    is_reordered: bool = False
    key: str | None = None

    def orders(self, legacy: Sequence[Any], target: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """What stands where, from the first displaced element to the last: keys where known, else elements."""
        mine = [self._label(legacy[i]) for i, _ in self.pairs]
        theirs = [self._label(target[j]) for _, j in sorted(self.pairs, key=lambda pair: pair[1])]
        moved = [n for n, (a, b) in enumerate(zip(mine, theirs, strict=True)) if fingerprint(a) != fingerprint(b)]
        first, last = (moved[0], moved[-1] + 1) if moved else (0, len(mine))
        return mine[first:last], theirs[first:last]

    def _label(self, element: Any) -> Any:
        return element.get(self.key) if self.key is not None and isinstance(element, dict) else element


def align(legacy: list[Any], target: list[Any], keys: Sequence[str]) -> Alignment:
    """Guarantees that every index of both lists is paired once or listed as missing or extra once."""
    for key in keys:
        mine, theirs = _key_index(legacy, key), _key_index(target, key)
        if mine and theirs and not mine.keys().isdisjoint(theirs):
            return _align_by_key(key, mine, theirs, legacy, target)
    return _align_by_edits(legacy, target)


def _key_index(elements: list[Any], key: str) -> dict[Any, int] | None:
    """Position by key value, where most elements have one and no two have the same.

    One broken key must not cost the others theirs: its element is then paired by likeness.
    """
    try:
        values = [element[key] for element in elements]
    except (KeyError, TypeError, IndexError):
        values = [element.get(key) if isinstance(element, dict) else None for element in elements]
    if set(map(type, values)) in ({int}, {str}):
        whole = dict(zip(values, range(len(values)), strict=True))
        return whole if len(whole) == len(values) else None
    types = Counter(map(type, values))
    kind = int if types[int] >= types[str] else str
    if types[kind] * 2 < len(values):
        return None
    index = {value: position for position, value in enumerate(values) if type(value) is kind}
    return index if len(index) == types[kind] else None


def _align_by_key(
    key: str, mine: dict[Any, int], theirs: dict[Any, int], legacy: list[Any], target: list[Any]
) -> Alignment:
    pairs = [(i, theirs[value]) for value, i in mine.items() if value in theirs]
    positions = [j for _, j in pairs]
    missing = _others(len(legacy), [i for i, _ in pairs])
    extra = _others(len(target), positions)
    alike = pair_most_alike(legacy, target, missing, extra) if missing and extra else []
    return Alignment(
        pairs=sorted([*pairs, *alike]) if alike else pairs,
        missing=[i for i in missing if i not in {a for a, _ in alike}],
        extra=[j for j in extra if j not in {b for _, b in alike}],
        is_reordered=any(a > b for a, b in pairwise(positions)),
        key=key,
    )


def _others(size: int, taken: list[int]) -> list[int]:
    return sorted(set(range(size)).difference(taken)) if len(taken) < size else []


def _align_by_edits(legacy: list[Any], target: list[Any]) -> Alignment:
    mine, theirs = list(map(fingerprint, legacy)), list(map(fingerprint, target))
    if len(mine) == len(theirs) and Counter(mine) == Counter(theirs):
        return _align_permutation(mine, theirs)
    if (len(mine), mine) <= (len(theirs), theirs):
        return _align_edited(legacy, target, mine, theirs)
    # Of several shortest edit scripts the same one is taken whichever side is called the legacy.
    swapped = _align_edited(target, legacy, theirs, mine)
    pairs = [(i, j) for j, i in swapped.pairs]
    return Alignment(pairs=pairs, missing=swapped.extra, extra=swapped.missing)


def _align_edited(legacy: list[Any], target: list[Any], mine: list[bytes], theirs: list[bytes]) -> Alignment:
    pairs: list[tuple[int, int]] = []
    missing: list[int] = []
    extra: list[int] = []
    i = j = 0
    for run_i, run_j, length in [*common_runs(mine, theirs), (len(mine), len(theirs), 0)]:
        for a, b in _pair_gap(legacy, target, range(i, run_i), range(j, run_j)):
            if a is not None and b is not None:
                pairs.append((a, b))
            elif a is not None:
                missing.append(a)
            elif b is not None:
                extra.append(b)
        pairs += [(run_i + n, run_j + n) for n in range(length)]
        i, j = run_i + length, run_j + length
    return Alignment(pairs=pairs, missing=missing, extra=extra)


def _align_permutation(mine: list[bytes], theirs: list[bytes]) -> Alignment:
    places: dict[bytes, list[int]] = {}
    for j in range(len(theirs) - 1, -1, -1):
        places.setdefault(theirs[j], []).append(j)
    pairs = [(i, places[value].pop()) for i, value in enumerate(mine)]
    return Alignment(pairs=pairs, missing=[], extra=[], is_reordered=mine != theirs)


def _pair_gap(legacy: list[Any], target: list[Any], mine: range, theirs: range) -> list[tuple[int | None, int | None]]:
    if len(mine) == len(theirs) or not mine or not theirs or len(mine) * len(theirs) > _MAX_LIKENESS_CELLS:
        return list(zip_longest(mine, theirs))
    return pair_by_likeness(legacy, target, mine, theirs)
