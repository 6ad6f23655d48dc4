"""Online moving-average reversion: the portfolio that leans towards what lies below its own average.

Source: B. Li and S. C. H. Hoi, "On-line portfolio selection with moving average reversion" (2012), algorithm OLMAR.
"""

import numpy as np

from target.quant.prices import Floats
from target.quant.returns import Returns

WINDOW = 5
EPSILON = 10.0


def olmar_weights(returns: Returns, *, window: int = WINDOW, epsilon: float = EPSILON) -> Floats:
    """Return the portfolio (m,) for the day after the last: at least 0, sum 1.

    The forecast of a day is each ticker's mean price of the last `window` days over its last price. The portfolio moves
    as little as possible to a forecast return of at least `epsilon`, then to the nearest portfolio without debt.
    """
    levels = np.cumprod(1 + returns.by_ticker, axis=1)
    weights = np.full(len(levels), 1 / len(levels))
    for day in range(window, levels.shape[1] + 1):
        recent = levels[:, day - window : day]
        weights = _revert(weights, recent.mean(axis=1) / recent[:, -1], epsilon)
    return weights


def nearest_portfolio(weights: Floats) -> Floats:
    """Return the point of the simplex nearest to `weights`.

    Source: J. Duchi et al., "Efficient projections onto the l1-ball for learning in high dimensions" (2008).
    """
    falling = np.sort(weights)[::-1]
    surplus = (np.cumsum(falling) - 1) / np.arange(1, len(weights) + 1)
    threshold = surplus[np.flatnonzero(falling > surplus)[-1]]
    nearest: Floats = np.maximum(weights - threshold, 0)
    return nearest


def _revert(weights: Floats, forecast: Floats, epsilon: float) -> Floats:
    deviation = forecast - forecast.mean()
    spread = float(deviation @ deviation)
    if spread == 0:
        return weights
    return nearest_portfolio(weights + max(0.0, (epsilon - float(weights @ forecast)) / spread) * deviation)
