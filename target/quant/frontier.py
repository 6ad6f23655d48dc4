"""Portfolios without short positions on the efficient frontier: greatest Sharpe ratio, least variance."""

import numpy as np

from target.quant.prices import Floats
from target.quant.returns import RISK_FREE, TRADING_DAYS

_MOST_STEPS_PER_ASSET = 10
_TOLERANCE = 1e-12


class Infeasible(ValueError):
    """There is no such portfolio: nothing earns more than what is safe, or the risks are degenerate."""


def max_sharpe(by_ticker: Floats) -> Floats:
    """Return the weights (k,) for returns (k, n): at least 0, sum 1.

    They are the best trade-off between annual covariance and annual mean above the risk-free rate: scaling a portfolio
    scales its mean and its deviation alike, so that its direction decides.

    Raises:
        Infeasible: no mean exceeds the risk-free rate, or the covariance is singular.
    """
    excess = by_ticker.mean(axis=1) * TRADING_DAYS - RISK_FREE
    if not (excess > 0).any():
        raise Infeasible("No asset's mean return exceeds the risk-free rate")
    return best_trade_off(np.atleast_2d(np.cov(by_ticker)) * TRADING_DAYS, excess)


def least_variance(covariance: Floats) -> Floats:
    """Return the weights (k,), at least 0 and of sum 1, of the portfolio with the least variance.

    Raises:
        Infeasible: the covariance is singular.
    """
    return best_trade_off(covariance, np.ones(len(covariance)))


def best_trade_off(covariance: Floats, gains: Floats) -> Floats:
    """Return the weights (k,), at least 0 and of sum 1, in the direction of the w >= 0 that minimises w'Cw / 2 - g'w.

    Some gain has to be above zero.

    Raises:
        Infeasible: the covariance is singular.
    """
    try:
        factor: Floats = np.asarray(np.linalg.cholesky(covariance))
    except np.linalg.LinAlgError:
        raise Infeasible("The covariance of the returns is singular: ask for more days or fewer tickers") from None
    # With C = LL', the problem is least squares: the w >= 0 for which L'w is nearest to the solution of Lb = g.
    direction = nonnegative_least_squares(factor.T, np.asarray(np.linalg.solve(factor, gains)))
    weights: Floats = direction / direction.sum()
    return weights


def nonnegative_least_squares(matrix: Floats, wanted: Floats) -> Floats:
    """Return the x >= 0 that makes |matrix x - wanted| least, by Lawson and Hanson's active sets (1974).

    Raises:
        Infeasible: the steps don't settle, which rounding causes where columns all but coincide.
    """
    count = matrix.shape[1]
    x = np.zeros(count)
    free = np.zeros(count, dtype=bool)
    for _ in range(_MOST_STEPS_PER_ASSET * count):
        gradient = matrix.T @ (wanted - matrix @ x)
        if free.all() or gradient[~free].max() <= _TOLERANCE * np.abs(matrix.T @ wanted).max():
            return x
        free[int(np.where(free, -np.inf, gradient).argmax())] = True
        x = _settled(matrix, wanted, x, free)
    raise Infeasible("The search for the best weights does not settle: leave out one of those that move alike")


def _settled(matrix: Floats, wanted: Floats, x: Floats, free: np.typing.NDArray[np.bool_]) -> Floats:
    """Move to the optimum over the free columns, fixing at zero (in `free`) each that would turn negative."""
    while True:
        goal = np.zeros_like(x)
        goal[free] = np.linalg.lstsq(matrix[:, free], wanted, rcond=None)[0]
        falling = free & (goal <= 0)
        if not falling.any():
            return goal
        step = (x[falling] / (x[falling] - goal[falling])).min()
        x = x + step * (goal - x)
        free &= x > _TOLERANCE * np.abs(x).max()
        x = np.where(free, x, 0.0)
