"""From what is held to how much of it. Source: contract section 4.5, pipeline step 3."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from target.quant.allocation_mode import AllocationMode
from target.quant.frontier import Infeasible, max_sharpe
from target.quant.hierarchical import hierarchical_risk_parity
from target.quant.prices import Floats
from target.quant.returns import TRADING_DAYS, Returns

Held = NDArray[np.bool_]

_LEAST, _MOST = 0.02, 0.30


class Allocation(NamedTuple):
    """Weights (k,) of the tickers of `returns`, sum 1."""

    returns: Returns
    weights: Floats


def allocate(method: str, mode: AllocationMode, returns: Returns, held: Held) -> Allocation:
    """Return how much of each ticker to own; `held` (m,) marks what the strategy holds.

    An unknown method is inverse volatility over everything, held or not, as in the contract. HRP and MVO (under EXACT
    EqualWeight and InverseVol too) weight what is held; with fewer than two held, everything weighs the same.

    Raises:
        MotionlessPrices: a weight by volatility is wanted of an asset without any.
    """
    if method not in _SELECTIVE[mode]:
        return Allocation(returns, inverse_volatility(returns))
    if held.sum() < 2:
        return Allocation(returns, equal_weights(len(held)))
    chosen = returns.only(held)
    return Allocation(chosen, inverse_volatility(chosen) if mode is AllocationMode.COMPAT else _exact(method, chosen))


def bounded(weights: Floats) -> Floats:
    """Clip to [0.02, 0.30], then scale to sum 1.

    LEGACY-PARITY: section 4.5, scaling comes last, so that with few assets the cap is none.
    """
    clipped = np.clip(weights, _LEAST, _MOST)
    scaled: Floats = clipped / clipped.sum()
    return scaled


def equal_weights(count: int) -> Floats:
    """Return `count` weights of 1 / count."""
    return np.full(count, 1 / count)


def inverse_volatility(returns: Returns) -> Floats:
    """Return weights in proportion to 1 / (deviation of daily returns, scaled to a year).

    Raises:
        MotionlessPrices: a deviation is zero.
    """
    inverse = 1 / (returns.deviations() * np.sqrt(TRADING_DAYS))
    weights: Floats = inverse / inverse.sum()
    return weights


def _exact(method: str, chosen: Returns) -> Floats:
    chosen.deviations()  # refuses what no method can weight
    if method == "EqualWeight":
        return equal_weights(len(chosen.tickers))
    if method == "HRP":
        return hierarchical_risk_parity(chosen.by_ticker)
    if method == "MVO":
        try:
            return max_sharpe(chosen.by_ticker)
        except Infeasible:
            pass  # the contract's way out is inverse volatility
    return inverse_volatility(chosen)


_SELECTIVE = {
    AllocationMode.COMPAT: frozenset({"HRP", "MVO"}),
    AllocationMode.EXACT: frozenset({"HRP", "MVO", "EqualWeight", "InverseVol"}),
}
