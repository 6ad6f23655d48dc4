"""The strategies by name: what each holds on the last day, or how it weights everything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from target.quant.allocation import inverse_volatility
from target.quant.clusters import nested_cluster_weights
from target.quant.prices import Floats, PriceTable
from target.quant.residual_momentum import FACTOR_TICKERS, score_residuals
from target.quant.returns import Returns
from target.quant.reversion import olmar_weights
from target.quant.scan import ScanData, ScanLimits, Signal, scan_flags
from target.quant.signals import Held, hold_all, hold_dual_momentum, hold_greatest, hold_momentum

_RECENT_DAYS = 63
_TOP = 10


class UnknownStrategy(ValueError):
    """No function stands behind this name. The text is the contract's, which names the legacy's five."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown strategy: {name}. Available: {list(LEGACY_STRATEGIES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A strategy that says what is held (m,) and leaves the weights to the method of the request.

    `hold` takes the prices to choose from, and those of `references`: tickers that it compares them with.
    """

    hold: Callable[[PriceTable, PriceTable], Held]
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighting:
    """A strategy that weights everything (m,) itself."""

    weigh: Callable[[Returns], Floats]


Strategy = Choice | Weighting


def get_strategy(name: str) -> Strategy:
    """Return what stands behind a name.

    Raises:
        UnknownStrategy: nothing does.
    """
    strategy = _STRATEGIES.get(name)
    if strategy is None:
        raise UnknownStrategy(name)
    return strategy


def reference_tickers(name: str) -> tuple[str, ...]:
    """Return the tickers whose prices a strategy needs beside those it chooses from; none for an unknown name."""
    strategy = _STRATEGIES.get(name)
    return strategy.references if isinstance(strategy, Choice) else ()


def _momentum(days: int, **limits: int) -> Choice:
    return Choice(hold=lambda prices, _: hold_momentum(prices, days, **limits))


def _hold_residual_momentum(prices: PriceTable, factor_prices: PriceTable) -> Held:
    scores = {score.ticker: score.score for score in score_residuals(prices, factor_prices)}
    return hold_greatest(np.array([scores.get(ticker, np.nan) for ticker in prices.tickers]), _TOP)


def _hold_flags(prices: PriceTable, _: PriceTable) -> Held:
    anything = ScanLimits(min_price=0, max_price=np.inf, min_volume=0)
    found = {
        finding.ticker for finding in scan_flags(ScanData(closes=prices), anything) if finding.signal == Signal.BUY
    }
    return np.array([ticker in found for ticker in prices.tickers])


def _weigh_recent_volatility(returns: Returns) -> Floats:
    return inverse_volatility(returns.last(_RECENT_DAYS))


LEGACY_STRATEGIES = ("Momentum_21D", "Momentum_63D", "Momentum_126D", "Dual_Momentum", "HRP")
"""What the legacy's pipeline can run; the names beyond them never gave an answer there (Q13)."""

_STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "Momentum_21D": _momentum(21),
        "Momentum_63D": _momentum(63),
        "Momentum_126D": _momentum(126),
        "Dual_Momentum": Choice(hold=lambda prices, _: hold_dual_momentum(prices)),
        "HRP": Choice(hold=lambda prices, _: hold_all(prices)),
        "Momentum": _momentum(252, skip=21, top=_TOP),
        "InverseVolatility": Weighting(weigh=_weigh_recent_volatility),
        "Residual_Momentum": Choice(hold=_hold_residual_momentum, references=FACTOR_TICKERS),
        "NCO": Weighting(weigh=nested_cluster_weights),
        "OLMAR": Weighting(weigh=olmar_weights),
        "Quallamaggie": Choice(hold=_hold_flags),
    }
)
