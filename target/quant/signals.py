"""What the momentum strategies hold on the last day. Source: contract section 4.5, pipeline step 2."""

import numpy as np
from numpy.typing import NDArray

from target.quant.prices import Floats, PriceTable
from target.quant.returns import RISK_FREE, TRADING_DAYS, change_over

Held = NDArray[np.bool_]

BONDS = ("TLT", "IEF", "BND")
_TOP = 5


def hold_all(prices: PriceTable) -> Held:
    """Hold everything."""
    return np.ones(len(prices.tickers), dtype=bool)


def hold_momentum(prices: PriceTable, days: int, *, skip: int = 0, top: int = _TOP) -> Held:
    """Hold the `top` greatest changes over `days` among those above zero; among equals, the first column."""
    return hold_greatest(change_over(prices, days, skip=skip), top)


def hold_greatest(scores: Floats, top: int) -> Held:
    """Hold the `top` greatest scores above zero; NaN is none. Among equals, the first comes first."""
    ranked = np.argsort(np.where(np.isnan(scores), np.inf, -scores), kind="stable")[:top]
    held = np.zeros(len(scores), dtype=bool)
    held[ranked] = True
    return held & (scores > 0)


def hold_dual_momentum(prices: PriceTable) -> Held:
    """Hold the one asset with the greatest change of a year if it beats what is safe, else the best of the bonds.

    Bonds are TLT, IEF and BND and compete only for the second place; without any of them nothing is held.
    """
    gains = change_over(prices, TRADING_DAYS)
    gains[np.isnan(gains)] = -np.inf
    is_bond = np.isin(prices.tickers, BONDS)
    risky, safe = np.where(is_bond, -np.inf, gains), np.where(is_bond, gains, -np.inf)
    held = np.zeros(len(gains), dtype=bool)
    for candidates, threshold in ((risky, RISK_FREE), (safe, -np.inf)):
        if candidates.max() > threshold:
            held[int(candidates.argmax())] = True
            return held
    return held
