"""Optimal portfolios against scipy's optimisers."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize

from target.quant.frontier import Infeasible, least_variance, max_sharpe, nonnegative_least_squares
from target.quant.returns import Returns
from target.quant.reversion import nearest_portfolio, olmar_weights
from tests.builders.price_tables import random_returns

seeds = st.integers(0, 100_000)


@given(st.integers(1, 12), st.integers(0, 8), seeds)
@settings(max_examples=60)
def test_least_squares_agree_with_scipy(columns: int, extra_rows: int, seed: int):
    random = np.random.default_rng(seed)
    matrix, wanted = random.normal(size=(columns + extra_rows, columns)), random.normal(size=columns + extra_rows)
    expected, distance = optimize.nnls(matrix, wanted)
    found = nonnegative_least_squares(matrix, wanted)
    assert found.min() >= 0
    assert np.linalg.norm(matrix @ found - wanted) == pytest.approx(distance, abs=1e-8)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.integers(2, 8), seeds)
@settings(max_examples=25)
def test_the_sharpe_ratio_is_the_greatest_that_scipy_finds(count: int, seed: int):
    returns = random_returns(250, count, seed=seed).by_ticker
    excess, covariance = returns.mean(axis=1) * 252 - 0.04, np.cov(returns) * 252
    assume((excess > 0.01).any())

    def sharpe(weights: np.ndarray) -> float:
        return float(weights @ excess / np.sqrt(weights @ covariance @ weights))

    found = max_sharpe(returns)
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0
    rival = optimize.minimize(
        lambda weights: -sharpe(weights),
        np.full(count, 1 / count),
        method="SLSQP",
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
    )
    assert sharpe(found) >= sharpe(rival.x) - 1e-6
    assert sharpe(found) >= max(sharpe(corner) for corner in np.eye(count)) - 1e-9


def test_nothing_beats_what_is_safe_is_infeasible():
    falling = -np.abs(random_returns(100, 3).by_ticker)
    with pytest.raises(Infeasible, match="risk-free"):
        max_sharpe(falling)


def test_fewer_days_than_assets_is_infeasible():
    with pytest.raises(Infeasible, match="singular"):
        max_sharpe(np.abs(random_returns(5, 9).by_ticker))


@given(st.integers(1, 8), seeds)
@settings(max_examples=25)
def test_least_variance_has_no_better_neighbour(count: int, seed: int):
    covariance = np.atleast_2d(np.cov(random_returns(100, count, seed=seed).by_ticker))
    weights = least_variance(covariance)
    risk = weights @ covariance @ weights
    for corner in np.eye(count):
        moved = 0.999 * weights + 0.001 * corner
        assert moved @ covariance @ moved >= risk * (1 - 1e-9)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=10))
def test_the_nearest_portfolio_is_one_and_is_nearest(weights: list[float]):
    given_weights = np.array(weights)
    nearest = nearest_portfolio(given_weights)
    assert nearest.sum() == pytest.approx(1)
    assert nearest.min() >= 0
    # Nearest on a convex set: no corner lies on the far side of the tangent.
    for corner in np.eye(len(weights)):
        assert (given_weights - nearest) @ (corner - nearest) <= 1e-9


def test_reversion_leans_towards_what_has_fallen_below_its_average():
    steps = np.array([[0.0] * 9 + [-0.10], [0.0] * 9 + [0.10]])
    returns = Returns(np.arange(10).astype("datetime64[D]"), ("DOWN", "UP"), steps)
    assert olmar_weights(returns).tolist() == [1.0, 0.0]


def test_reversion_without_a_window_or_without_movement_stays_even():
    still = Returns(np.arange(9).astype("datetime64[D]"), ("A", "B"), np.zeros((2, 9)))
    assert olmar_weights(still).tolist() == [0.5, 0.5]
    assert olmar_weights(still.last(4)).tolist() == [0.5, 0.5]
