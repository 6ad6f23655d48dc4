"""One backtest: prices in; weights, metrics and what they are worth as evidence out. Source: contract section 4.5."""

from dataclasses import dataclass

import numpy as np

from target.quant.allocation import Allocation, allocate, bounded
from target.quant.allocation_mode import AllocationMode
from target.quant.performance import Performance, display_metrics, measure, portfolio_returns
from target.quant.prices import PriceTable
from target.quant.returns import CleanPrices, clean
from target.quant.strategies import LEGACY_STRATEGIES, Strategy, Weighting, get_strategy


class BeyondNumbers(ValueError):
    """The prices are such that weights or equity leave double precision."""

    def __init__(self) -> None:
        super().__init__("The prices change beyond what can be computed: look for wrong ones among them")


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPlan:
    """What to run; any text is a method (see `allocate`), `initial_capital` is in the currency of the prices."""

    strategy_name: str
    optimization_method: str = "HRP"
    initial_capital: float = 100_000.0
    allocation_mode: AllocationMode = AllocationMode.COMPAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the significance of a Sharpe ratio depends on.

    `daily_sharpe` is the mean over the deviation of daily returns, `sortino` and `annual_sharpe` are those of the
    metrics without rounding, `max_drawdown` is a ratio of at most 0, `kurtosis` is 3 for a normal distribution.
    """

    days: int
    daily_sharpe: float
    annual_sharpe: float
    sortino: float
    max_drawdown: float
    skewness: float
    kurtosis: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOutcome:
    """What a backtest came to; `metrics` are texts for display, `weights` by ticker in the order of the columns."""

    metrics: dict[str, str]
    final_value: float
    weights: dict[str, float]
    evidence: Evidence


@np.errstate(all="ignore")  # what leaves double precision is refused, or shown as nan
def run_backtest(plan: BacktestPlan, prices: PriceTable, references: PriceTable | None = None) -> BacktestOutcome:
    """Return the outcome; equal input gives equal bits. `references` hold what `reference_tickers` names.

    Raises:
        ValueError: nothing can be computed; the text says why. Its subclasses are NoPrices, ShortHistory,
            UnknownStrategy, MotionlessPrices, Infeasible and BeyondNumbers.
    """
    data = clean(prices)
    strategy = get_strategy(plan.strategy_name)
    chosen, weights = _allocate(plan, strategy, data, PriceTable.empty() if references is None else references)
    weights = bounded(weights)
    performance = measure(portfolio_returns(chosen, weights))
    if not (np.isfinite(weights).all() and np.isfinite(performance.equity[-1])):
        raise BeyondNumbers
    return BacktestOutcome(
        metrics=display_metrics(performance),
        final_value=float(plan.initial_capital * performance.equity[-1]),
        weights={ticker: float(weight) for ticker, weight in zip(chosen.tickers, weights, strict=True)},
        evidence=_evidence(performance),
    )


def _allocate(plan: BacktestPlan, strategy: Strategy, data: CleanPrices, references: PriceTable) -> Allocation:
    if isinstance(strategy, Weighting):
        return Allocation(data.returns, strategy.weigh(data.returns))
    # Names that the legacy could not run have no answers to agree with, so their methods mean what they say.
    mode = plan.allocation_mode if plan.strategy_name in LEGACY_STRATEGIES else AllocationMode.EXACT
    return allocate(plan.optimization_method, mode, data.returns, strategy.hold(data.prices, references))


def _evidence(performance: Performance) -> Evidence:
    daily = performance.daily
    standard = (daily - daily.mean()) / daily.std()
    return Evidence(
        days=len(daily),
        daily_sharpe=float(daily.mean() / daily.std(ddof=1)),
        annual_sharpe=float(performance.sharpe),
        sortino=float(performance.sortino),
        max_drawdown=float(performance.max_drawdown),
        skewness=float((standard**3).mean()),
        kurtosis=float((standard**4).mean()),
    )
