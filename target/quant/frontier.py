"""The portfolio without short positions whose Sharpe ratio is greatest."""

import numpy as np

from target.quant.prices import Floats
from target.quant.returns import RISK_FREE, TRADING_DAYS

_MOST_STEPS_PER_ASSET = 10
_TOLERANCE = 1e-12


class Infeasible(ValueError):
    """No portfolio has a greatest Sharpe ratio: nothing earns more than what is safe, or the risks are degenerate."""


def max_sharpe(by_ticker: Floats) -> Floats:
    """Return the weights (k,) for returns (k, n): at least 0, sum 1.

    The weights are the direction of the w >= 0 that minimises w'Cw / 2 - e'w, C being the annual covariance and e the
    annual mean above the risk-free rate; scaling such a w scales mean and deviation alike.

    Raises:
        Infeasible: no mean exceeds the risk-free rate, or the covariance is singular.
    """
    excess = by_ticker.mean(axis=1) * TRADING_DAYS - RISK_FREE
    if not (excess > 0).any():
        raise Infeasible("no asset's mean return exceeds the risk-free rate")
    try:
        factor: Floats = np.asarray(np.linalg.cholesky(np.atleast_2d(np.cov(by_ticker)) * TRADING_DAYS))
    except np.linalg.LinAlgError:
        raise Infeasible("the covariance of the returns is singular") from None
    # With C = LL', the problem is least squares: the w >= 0 for which L'w is nearest to the solution of Lb = e.
    direction = nonnegative_least_squares(factor.T, np.linalg.solve(factor, excess))
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
    raise Infeasible("the search for the greatest Sharpe ratio does not settle")


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
