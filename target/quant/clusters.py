"""Nested clustered optimisation: least variance within clusters of what moves alike, then between them.

Source: M. López de Prado, "A robust estimator of the efficient frontier" (2019), with Ward's clusters, the contract's
limit of ten clusters, and no short positions.
"""

import numpy as np

from target.quant.clustering import Tree, ward_tree
from target.quant.frontier import least_variance
from target.quant.hierarchical import correlation_distance
from target.quant.prices import Floats
from target.quant.returns import Returns

MOST_CLUSTERS = 10
SMALLEST_CLUSTER = 3


def nested_cluster_weights(returns: Returns) -> Floats:
    """Return the weights (m,) of all tickers: at least 0, sum 1.

    Raises:
        MotionlessPrices, Infeasible: the risks are degenerate.
    """
    returns.deviations()
    covariance = np.atleast_2d(np.cov(returns.by_ticker))
    distance = correlation_distance(np.atleast_2d(np.corrcoef(returns.by_ticker)))
    within = np.zeros((len(covariance), 0))
    for cluster in cut_clusters(ward_tree(distance)):
        column = np.zeros((len(covariance), 1))
        column[cluster, 0] = least_variance(covariance[np.ix_(cluster, cluster)])
        within = np.hstack([within, column])
    between = least_variance(within.T @ covariance @ within)
    weights: Floats = within @ between
    return weights


def cut_clusters(tree: Tree) -> list[list[int]]:
    """Return the clusters below the highest joins: at most ten, and one for every three leaves."""
    wanted = max(1, min(MOST_CLUSTERS, tree.leaf_count // SMALLEST_CLUSTER))
    nodes = [tree.leaf_count + len(tree.joins) - 1]
    while len(nodes) < wanted:
        highest = max(nodes)  # joins come in the order of their heights
        below = tree.children(highest)
        if below is None:
            break
        nodes.remove(highest)
        nodes += below
    return [sorted(tree.leaves(node)) for node in sorted(nodes)]
