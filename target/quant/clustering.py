"""A tree of what moves alike: Ward's linkage, and the order of its leaves that puts neighbours nearest.

Source: J. H. Ward (1963) in the form of Lance and Williams; Z. Bar-Joseph et al., "Fast optimal leaf ordering for
hierarchical clustering" (2001).
"""

from dataclasses import dataclass

import numpy as np

from target.quant.prices import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A binary tree of k leaves numbered 0…k-1; node k+i joins `joins[i]`, the lower number first, at `heights[i]`."""

    joins: tuple[tuple[int, int], ...]
    heights: tuple[float, ...]

    @property
    def leaf_count(self) -> int:
        """Return k."""
        return len(self.joins) + 1

    def children(self, node: int) -> tuple[int, int] | None:
        """Return the two nodes below, None for a leaf."""
        return None if node < self.leaf_count else self.joins[node - self.leaf_count]

    def leaves(self, node: int) -> list[int]:
        """Return the leaves below a node, from left to right."""
        below = self.children(node)
        return [node] if below is None else self.leaves(below[0]) + self.leaves(below[1])


def ward_tree(distance: Floats) -> Tree:
    """Return the tree that joins, at each step, the two clusters that are nearest in Ward's sense.

    `distance` is (k, k), symmetric. Distances to a new cluster follow from those to its parts (Lance and Williams).
    """
    count = len(distance)
    gaps = distance.astype(np.float64, copy=True)
    np.fill_diagonal(gaps, np.inf)
    node, size = np.arange(count), np.ones(count)
    joins: list[tuple[int, int]] = []
    heights: list[float] = []
    for step in range(count - 1):
        one, other = divmod(int(gaps.argmin()), count)
        height = float(gaps[one, other])
        joins.append((min(int(node[one]), int(node[other])), max(int(node[one]), int(node[other]))))
        heights.append(height)
        _absorb(gaps, size, one, other)
        node[one] = count + step
    return Tree(tuple(joins), tuple(heights))


def ordered_leaves(tree: Tree, distance: Floats) -> list[int]:
    """Return the leaves in the order, among those that the tree allows, whose neighbours are nearest in total."""
    return _LeafOrder(tree, distance).best()


def _absorb(gaps: Floats, size: Floats, one: int, other: int) -> None:
    """Make row `one` the union of both and retire row `other`."""
    total = size + size[one] + size[other]
    squared = (size + size[one]) * gaps[one] ** 2 + (size + size[other]) * gaps[other] ** 2
    with np.errstate(invalid="ignore"):  # retired rows are infinitely far from everything
        merged = np.sqrt(np.maximum(squared - size * gaps[one, other] ** 2, 0) / total)
    merged[~np.isfinite(merged)] = np.inf
    merged[[one, other]] = np.inf
    gaps[one], gaps[:, one] = merged, merged
    gaps[other], gaps[:, other] = np.inf, np.inf
    size[one] += size[other]


class _LeafOrder:
    """Optimal leaf order by dynamic programming over the tree.

    For each node, `_cost` holds the least length of an order of its leaves that begins at one leaf and ends at
    another; infinity where both lie below the same child, since no order of the tree begins and ends there.
    """

    def __init__(self, tree: Tree, distance: Floats) -> None:
        self._tree, self._distance = tree, distance
        self._cost: dict[int, Floats] = {leaf: np.zeros((1, 1)) for leaf in range(tree.leaf_count)}
        self._leaves: dict[int, list[int]] = {leaf: [leaf] for leaf in range(tree.leaf_count)}
        for step, (left, right) in enumerate(tree.joins):
            self._join(tree.leaf_count + step, left, right)

    def best(self) -> list[int]:
        root = self._tree.leaf_count + len(self._tree.joins) - 1
        below = self._tree.children(root)
        if below is None:
            return [0]
        left = len(self._leaves[below[0]])
        corner = self._cost[root][:left, left:]
        first, last = divmod(int(corner.argmin()), corner.shape[1])
        return self._path(root, first, left + last)

    def _join(self, node: int, left: int, right: int) -> None:
        self._leaves[node] = self._leaves[left] + self._leaves[right]
        size = len(self._leaves[left])
        bridge = self._distance[np.ix_(self._leaves[left], self._leaves[right])]
        across = _min_plus(_min_plus(self._cost[left], bridge), self._cost[right])
        cost = np.full((len(self._leaves[node]),) * 2, np.inf)
        cost[:size, size:], cost[size:, :size] = across, across.T
        self._cost[node] = cost

    def _path(self, node: int, first: int, last: int) -> list[int]:
        """Return the cheapest order of a node's leaves between two positions in its own list of leaves."""
        below = self._tree.children(node)
        if below is None:
            return [node]
        left, right = below
        size = len(self._leaves[left])
        if first >= size:
            return self._path(node, last, first)[::-1]
        bridge = self._distance[np.ix_(self._leaves[left], self._leaves[right])]
        total = self._cost[left][first][:, np.newaxis] + bridge + self._cost[right][:, last - size]
        end, start = divmod(int(total.argmin()), total.shape[1])
        return self._path(left, first, end) + self._path(right, start, last - size)


def _min_plus(one: Floats, other: Floats) -> Floats:
    """Return the product of two matrices in which adding stands for multiplying and the minimum for the sum."""
    return np.stack([(row[:, np.newaxis] + other).min(axis=0) for row in one])
