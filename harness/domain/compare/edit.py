"""Edit distance between two sequences, bounded in time and memory."""

from collections.abc import Sequence
from typing import Any

_MAX_EDITS = 400
_GAP_COST = 0.6
"""Leaving two elements unpaired costs 1.2: more than pairing any two, so a pair is kept where counts allow."""

_NEARLY_SAME = 0.35
"""Elements that share two thirds of their members are taken for the same one with another key."""
_MAX_TRIES = 40_000

Run = tuple[int, int, int]
"""Start in the first sequence, start in the second, length: equal elements."""


def common_runs(first: Sequence[bytes], second: Sequence[bytes]) -> list[Run]:
    """Runs of a longest common subsequence (Myers); only the common ends where more than 400 edits part them."""
    size = min(len(first), len(second))
    head = _common_prefix(first, second, size)
    tail = _common_prefix(first[::-1], second[::-1], size - head)
    middle = _myers(first[head : len(first) - tail], second[head : len(second) - tail])
    runs = [(0, 0, head)] if head else []
    runs += [(i + head, j + head, length) for i, j, length in middle]
    return [*runs, (len(first) - tail, len(second) - tail, tail)] if tail else runs


def pair_by_likeness(
    first: Sequence[Any], second: Sequence[Any], mine: range, theirs: range
) -> list[tuple[int | None, int | None]]:
    """Pairs two unequal stretches so that the most alike elements meet, in order; None marks the unpaired."""
    costs = _cost_table(first, second, mine, theirs)
    pairs: list[tuple[int | None, int | None]] = []
    i, j = len(mine), len(theirs)
    while i or j:
        # At an edge there is one way left, whatever the last digits of the sums say.
        if j and (not i or costs[i][j] == costs[i][j - 1] + _GAP_COST):
            j -= 1
            pairs.append((None, theirs[j]))
        elif i and (not j or costs[i][j] == costs[i - 1][j] + _GAP_COST):
            i -= 1
            pairs.append((mine[i], None))
        else:
            i, j = i - 1, j - 1
            pairs.append((mine[i], theirs[j]))
    return pairs[::-1]


def pair_most_alike(
    first: Sequence[Any], second: Sequence[Any], mine: Sequence[int], theirs: Sequence[int]
) -> list[tuple[int, int]]:
    """Pairs elements that are nearly the same, whatever their order; none where there are too many to try."""
    if len(mine) * len(theirs) > _MAX_TRIES:
        return []
    # Equally alike pairs are taken by place, in an order that does not depend on which side comes first.
    scored = sorted(
        ((_unlikeness(first[i], second[j]), i, j) for i in mine for j in theirs),
        key=lambda entry: (entry[0], entry[1] + entry[2], abs(entry[1] - entry[2])),
    )
    free_mine, free_theirs = set(mine), set(theirs)
    pairs = []
    for cost, i, j in scored:
        if cost <= _NEARLY_SAME and i in free_mine and j in free_theirs:
            free_mine.discard(i)
            free_theirs.discard(j)
            pairs.append((i, j))
    return pairs


def _cost_table(first: Sequence[Any], second: Sequence[Any], mine: range, theirs: range) -> list[list[float]]:
    costs = [[j * _GAP_COST for j in range(len(theirs) + 1)]]
    for i in range(1, len(mine) + 1):
        row = [i * _GAP_COST]
        for j in range(1, len(theirs) + 1):
            paired = costs[i - 1][j - 1] + _unlikeness(first[mine[i - 1]], second[theirs[j - 1]])
            row.append(min(paired, costs[i - 1][j] + _GAP_COST, row[j - 1] + _GAP_COST))
        costs.append(row)
    return costs


def _unlikeness(first: Any, second: Any) -> float:
    if type(first) is not type(second):
        return 1.0
    if isinstance(first, dict) and (first or second):
        alike = sum(1 for name, value in first.items() if name in second and second[name] == value)
        return 1.0 - alike / max(len(first), len(second))
    return 0.0 if first == second else 0.9


def _common_prefix(first: Sequence[bytes], second: Sequence[bytes], limit: int) -> int:
    length = 0
    while length < limit and first[length] == second[length]:
        length += 1
    return length


def _myers(first: Sequence[bytes], second: Sequence[bytes]) -> list[Run]:
    """Greedy O((n+m)d) search for the shortest edit script; empty where d would pass the bound."""
    furthest: dict[int, int] = {1: 0}
    trail: list[dict[int, int]] = []
    for edits in range(min(len(first) + len(second), _MAX_EDITS) + 1):
        trail.append(furthest.copy())
        for k in range(-edits, edits + 1, 2):
            i = _step(furthest, k, edits)
            while i < len(first) and i - k < len(second) and first[i] == second[i - k]:
                i += 1
            furthest[k] = i
            if i >= len(first) and i - k >= len(second):
                return _runs(trail, len(first), len(second))
    return []


def _step(furthest: dict[int, int], k: int, edits: int) -> int:
    """Where diagonal k starts after one more edit: below its upper neighbour or right of its lower one."""
    goes_down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
    return furthest[k + 1] if goes_down else furthest[k - 1] + 1


def _runs(trail: list[dict[int, int]], i: int, j: int) -> list[Run]:
    runs: list[Run] = []
    for edits in range(len(trail) - 1, -1, -1):
        furthest, k = trail[edits], i - j
        start = _step(furthest, k, edits) if edits else 0
        if i > start:
            runs.append((start, start - k, i - start))
        if edits:
            goes_down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            previous = k + 1 if goes_down else k - 1
            i = furthest[previous]
            j = i - previous
    return runs[::-1]
