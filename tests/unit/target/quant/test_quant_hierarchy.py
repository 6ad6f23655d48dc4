"""Trees, leaf orders and hierarchical weights against scipy and a second formulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from target.quant.clustering import Tree, ordered_leaves, ward_tree
from target.quant.clusters import MOST_CLUSTERS, cut_clusters, nested_cluster_weights
from target.quant.frontier import Infeasible
from target.quant.hierarchical import bisected_weights, correlation_distance, hierarchical_risk_parity
from target.quant.returns import MotionlessPrices, Returns
from tests.builders.price_tables import random_returns

seeds = st.integers(0, 100_000)


def distance_of(returns: Returns) -> np.ndarray:
    return correlation_distance(np.corrcoef(returns.by_ticker))


def length(order: list[int], distance: np.ndarray) -> float:
    return sum(distance[one, other] for one, other in itertools.pairwise(order))


def flips(tree: np.ndarray, node: int) -> list[list[int]]:
    """All orders that scipy's tree allows."""
    leaves = len(tree) + 1
    if node < leaves:
        return [[node]]
    pairs = itertools.product(*(flips(tree, int(child)) for child in tree[node - leaves, :2]))
    return [order for one, other in pairs for order in (one + other, other + one)]


def second_opinion(returns: Returns) -> np.ndarray:
    """Hierarchical risk parity with scipy's tree, the best of all its orders, and recursion."""
    covariance, distance = np.cov(returns.by_ticker), distance_of(returns)
    tree = hierarchy.linkage(squareform(distance, checks=False), "ward")
    root = 2 * len(covariance) - 2
    # An order and its mirror image are as long: the one that begins in the root's first branch is meant.
    first = set(flips(tree, int(tree[-1, 0]))[0])
    best = min((o for o in flips(tree, root) if o[0] in first), key=lambda order: length(order, distance))
    weights = np.ones(len(covariance))

    def variance(cluster: np.ndarray) -> float:
        parity = 1 / np.diag(covariance)[cluster]
        parity /= parity.sum()
        return parity @ covariance[cluster][:, cluster] @ parity

    def split(cluster: np.ndarray) -> None:
        if len(cluster) == 1:
            return
        left, right = cluster[: len(cluster) // 2], cluster[len(cluster) // 2 :]
        share = variance(right) / (variance(left) + variance(right))
        weights[left] *= share
        weights[right] *= 1 - share
        split(left)
        split(right)

    split(np.array(best))
    return weights


@given(st.integers(2, 25), seeds)
@settings(max_examples=40)
def test_the_tree_is_scipys(count: int, seed: int):
    distance = distance_of(random_returns(60, count, seed=seed))
    tree = ward_tree(distance)
    expected = hierarchy.linkage(squareform(distance, checks=False), "ward")
    assert [list(join) for join in tree.joins] == expected[:, :2].astype(int).tolist()
    np.testing.assert_allclose(tree.heights, expected[:, 2], rtol=1e-9)


@given(st.integers(2, 25), seeds)
@settings(max_examples=40)
def test_the_order_is_no_longer_than_scipys(count: int, seed: int):
    """Which is not always the shortest: https://github.com/scipy/scipy/issues/11227."""
    distance = distance_of(random_returns(60, count, seed=seed))
    order = ordered_leaves(ward_tree(distance), distance)
    condensed = squareform(distance, checks=False)
    rival = hierarchy.leaves_list(hierarchy.linkage(condensed, "ward", optimal_ordering=True))
    assert sorted(order) == list(range(count))
    assert length(order, distance) <= length(list(rival), distance) + 1e-9


@pytest.mark.parametrize("count", [2, 3, 5, 6])
def test_the_order_is_the_best_of_all_flips(count: int):
    distance = distance_of(random_returns(40, count, seed=count))
    tree = ward_tree(distance)
    scipys = hierarchy.linkage(squareform(distance, checks=False), "ward")
    best = min(length(order, distance) for order in flips(scipys, 2 * count - 2))
    assert length(ordered_leaves(tree, distance), distance) == pytest.approx(best)


@given(st.integers(2, 9), seeds)
@settings(max_examples=40)
def test_risk_parity_agrees_with_the_second_opinion(count: int, seed: int):
    returns = random_returns(80, count, seed=seed)
    np.testing.assert_allclose(hierarchical_risk_parity(returns.by_ticker), second_opinion(returns), rtol=1e-9)


@given(st.integers(1, 20), seeds)
@settings(max_examples=30)
def test_risk_parity_is_positive_and_sums_to_one(count: int, seed: int):
    weights = hierarchical_risk_parity(random_returns(50, count, seed=seed).by_ticker)
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1)


def test_two_assets_are_weighted_by_inverse_variance():
    weights = bisected_weights(np.diag([0.04, 0.01]), [0, 1])
    np.testing.assert_allclose(weights, [0.2, 0.8])


def test_correlated_assets_share_what_one_of_them_would_get():
    covariance = np.array([[1.0, 0.999, 0.0], [0.999, 1.0, 0.0], [0.0, 0.0, 1.0]])
    weights = bisected_weights(covariance, [2, 0, 1])
    assert weights[2] == pytest.approx(0.5, abs=0.01)


def test_a_single_asset_is_everything():
    distance = np.zeros((1, 1))
    assert ordered_leaves(ward_tree(distance), distance) == [0]
    assert hierarchical_risk_parity(random_returns(9, 1).by_ticker).tolist() == [1.0]


@given(st.integers(1, 45), seeds)
@settings(max_examples=25)
def test_nested_clusters_weigh_everything_without_debt(count: int, seed: int):
    weights = nested_cluster_weights(random_returns(120, count, seed=seed))
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0


def test_clusters_are_those_below_the_highest_joins():
    tree = Tree(((0, 1), (2, 3), (4, 5), (6, 7), (8, 9)), (1.0, 2.0, 3.0, 4.0, 5.0))
    assert cut_clusters(tree) == [[4, 5], [0, 1, 2, 3]]


def test_there_are_at_most_ten_clusters():
    distance = distance_of(random_returns(90, 40))
    clusters = cut_clusters(ward_tree(distance))
    assert len(clusters) == MOST_CLUSTERS
    assert sorted(itertools.chain(*clusters)) == list(range(40))


def test_uncorrelated_calm_and_wild_assets_are_told_apart():
    random = np.random.default_rng(5)
    calm, wild = random.normal(0, 0.001, (3, 400)), random.normal(0, 0.03, (3, 400))
    returns = Returns(np.arange(400).astype("datetime64[D]"), tuple("ABCDEF"), np.vstack([calm, wild]))
    assert nested_cluster_weights(returns)[:3].sum() > 0.95


def test_degenerate_risks_are_refused():
    returns = random_returns(30, 4)
    doubled = Returns(returns.dates, tuple("ABCD"), np.repeat(returns.by_ticker[:1], 4, axis=0))
    with pytest.raises(Infeasible, match="singular"):
        nested_cluster_weights(doubled)
    still = Returns(returns.dates, tuple("ABCD"), np.vstack([returns.by_ticker[:3], np.zeros(30)]))
    with pytest.raises(MotionlessPrices, match="D never moves"):
        nested_cluster_weights(still)
