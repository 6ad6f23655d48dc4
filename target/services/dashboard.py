"""Dashboards from the latest backtest of each strategy (contract section 4.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from target.database.jobs import Backtest
from target.schemas.dashboard import ComparisonRow, OverviewRow
from target.services.displayed_metrics import ABSENT, displayed_metrics, fraction_of
from target.services.metrics import sum_in_order

FinalValue = float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Weights of all strategies together, the greatest first, and each strategy's own."""

    combined: Mapping[str, float]
    by_strategy: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPerformer:
    """The strategy with the greatest annual growth, and that growth for display."""

    name: str | None
    cagr: str


def final_value_of(backtest: Backtest) -> FinalValue:
    """Return the final value, "N/A" where it was not finite."""
    return ABSENT if backtest.final_value is None else backtest.final_value


def overview_row(backtest: Backtest) -> OverviewRow:
    """Return the backtest as the overview shows it."""
    metrics = displayed_metrics(backtest.metrics)
    return OverviewRow(
        name=backtest.strategy_name,
        final_value=final_value_of(backtest),
        cagr=metrics["cagr"],
        sharpe=metrics["sharpe_ratio"],
        max_drawdown=metrics["max_drawdown"],
        status="active",
    )


def comparison_row(backtest: Backtest) -> ComparisonRow:
    """Return the backtest as a table of all metrics shows it."""
    metrics = displayed_metrics(backtest.metrics)
    return ComparisonRow(strategy=backtest.strategy_name, final_value=final_value_of(backtest), **metrics)


def find_best(backtests: Sequence[Backtest]) -> BestPerformer:
    """Return the first of those with the greatest CAGR; growth of nothing is "N/A"."""
    growths = [fraction_of(displayed_metrics(backtest.metrics)["cagr"]) for backtest in backtests]
    if not growths:
        return BestPerformer(name=None, cagr=ABSENT)
    greatest = max(growths)
    name = backtests[growths.index(greatest)].strategy_name
    return BestPerformer(name=name, cagr=f"{greatest * 100:.1f}%" if greatest else ABSENT)


def by_final_value(backtests: Sequence[Backtest]) -> list[Backtest]:
    """Return the backtests by final value, greatest first; one without counts as 0."""
    return sorted(backtests, key=lambda backtest: -(backtest.final_value or 0.0))


def combine_weights(backtests: Sequence[Backtest]) -> Allocation:
    """Return the mean weight of each ticker over the strategies that hold it, scaled to a sum of 1."""
    held: dict[str, list[float]] = {}
    for backtest in backtests:
        for ticker, weight in backtest.weights.items():
            held.setdefault(ticker, []).append(weight)
    means = {ticker: sum_in_order(weights) / len(weights) for ticker, weights in held.items()}
    total = sum_in_order(means.values())
    if total > 0:
        means = {ticker: weight / total for ticker, weight in means.items()}
    return Allocation(
        combined=dict(sorted(means.items(), key=lambda item: -item[1])),
        by_strategy={backtest.strategy_name: backtest.weights for backtest in backtests if backtest.weights},
    )
