"""Hierarchical risk parity.

Source: M. López de Prado, "Building diversified portfolios that outperform out of sample" (2016), with Ward's linkage
and optimally ordered leaves as contract section 4.5 has it.
"""

import numpy as np

from target.quant.clustering import ordered_leaves, ward_tree
from target.quant.prices import Floats


def hierarchical_risk_parity(by_ticker: Floats) -> Floats:
    """Return the weights (k,) for returns (k, n), in the order of the rows."""
    distance = correlation_distance(np.atleast_2d(np.corrcoef(by_ticker)))
    order = ordered_leaves(ward_tree(distance), distance)
    return bisected_weights(np.atleast_2d(np.cov(by_ticker)), order)


def correlation_distance(correlation: Floats) -> Floats:
    """Return sqrt((1 - r) / 2): 0 for what moves as one, 1 for opposites."""
    return np.sqrt(np.clip((1 - correlation) / 2, 0, 1))


def bisected_weights(covariance: Floats, order: list[int]) -> Floats:
    """Return risk parity by bisection: the ordered assets are halved again and again, each half weighted by the
    inverse of its variance against the other's. Weights (k,) are positive and sum to 1.
    """
    weights = np.ones(len(covariance))
    pending = [order]
    while pending:
        cluster = pending.pop()
        if len(cluster) < 2:
            continue
        left, right = cluster[: len(cluster) // 2], cluster[len(cluster) // 2 :]
        risk_left, risk_right = _cluster_variance(covariance, left), _cluster_variance(covariance, right)
        share = 1 - risk_left / (risk_left + risk_right)
        weights[left] *= share
        weights[right] *= 1 - share
        pending += [left, right]
    return weights


def _cluster_variance(covariance: Floats, cluster: list[int]) -> float:
    """Return the variance of a cluster that is weighted by inverse variance."""
    part = covariance[np.ix_(cluster, cluster)]
    inverse = 1 / np.diag(part)
    weights = inverse / inverse.sum()
    return float(weights @ part @ weights)
