"""The strategies by name: what each holds on the last day, or how it weights everything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from target.quant.allocation import inverse_volatility
from target.quant.clusters import nested_cluster_weights
from target.quant.flags import ScanData, ScanLimits, Signal, scan_flags
from target.quant.prices import Floats, PriceTable
from target.quant.residual_momentum import FACTOR_TICKERS, score_residuals
from target.quant.returns import Returns
from target.quant.reversion import olmar_weights
from target.quant.signals import Held, hold_all, hold_dual_momentum, hold_greatest, hold_momentum

_RECENT_DAYS = 63
_TOP = 10


class UnknownStrategy(ValueError):
    """No function stands behind this name. The text is the contract's, which names the legacy's five."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown strategy: {name}. Available: {list(LEGACY_STRATEGIES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """Either `hold`, which leaves the weights to the method of the request, or `weigh`, which sets them itself.

    `hold` takes the prices and those of `references`, tickers that it needs beside the ones it chooses from.
    """

    hold: Callable[[PriceTable, PriceTable], Held] | None = None
    weigh: Callable[[Returns], Floats] | None = None
    references: tuple[str, ...] = field(default=())


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
    return () if strategy is None else strategy.references


def _momentum(days: int, **limits: int) -> Strategy:
    return Strategy(hold=lambda prices, _: hold_momentum(prices, days, **limits))


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
        "Dual_Momentum": Strategy(hold=lambda prices, _: hold_dual_momentum(prices)),
        "HRP": Strategy(hold=lambda prices, _: hold_all(prices)),
        "Momentum": _momentum(252, skip=21, top=_TOP),
        "InverseVolatility": Strategy(weigh=_weigh_recent_volatility),
        "Residual_Momentum": Strategy(hold=_hold_residual_momentum, references=FACTOR_TICKERS),
        "NCO": Strategy(weigh=nested_cluster_weights),
        "OLMAR": Strategy(weigh=olmar_weights),
        "Quallamaggie": Strategy(hold=_hold_flags),
    }
)
