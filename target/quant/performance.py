"""What holding fixed weights would have earned, and how it is shown. Source: contract section 4.5, steps 4 and 5."""

from dataclasses import dataclass

import numpy as np

from target.quant.prices import Floats
from target.quant.returns import RISK_FREE, TRADING_DAYS, Returns


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Performance:
    """Figures of one series of daily portfolio returns (n,); ratios throughout, NaN where one is undefined."""

    daily: Floats
    equity: Floats
    cagr: float
    volatility: float
    sharpe: float
    sortino: float
    max_drawdown: float


def portfolio_returns(returns: Returns, weights: Floats) -> Floats:
    """Return the daily returns of a portfolio that is brought back to `weights` (m,) every day, free of cost.

    LEGACY-PARITY: section 4.5, the weights of the last day are held throughout the past.
    """
    # Along the first axis numpy adds ticker after ticker, as the legacy's frames do.
    total: Floats = (returns.by_ticker * weights[:, np.newaxis]).sum(axis=0)
    return total


def measure(daily: Floats) -> Performance:
    """Return the figures of daily portfolio returns; `daily` must not be empty."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        equity = np.cumprod(1 + daily, dtype=np.float64)
        volatility = annual_volatility(daily)
        excess = daily.mean() * TRADING_DAYS - RISK_FREE
        return Performance(
            daily=daily,
            equity=equity,
            cagr=equity[-1] ** (TRADING_DAYS / len(daily)) - 1,
            volatility=volatility,
            sharpe=excess / volatility,
            sortino=excess / annual_volatility(daily[daily < 0]),
            max_drawdown=(equity / np.maximum.accumulate(equity) - 1).min(),
        )


def annual_volatility(daily: Floats) -> np.float64:
    """Return the sample deviation scaled to a year; NaN for fewer than two days."""
    if len(daily) < 2:
        return np.float64(np.nan)
    return np.float64(daily.std(ddof=1) * np.sqrt(TRADING_DAYS))


def display_metrics(performance: Performance) -> dict[str, str]:
    """Return the figures as texts, keys in the contract's order."""
    daily, equity = performance.daily, performance.equity
    return {
        "Total Return": f"{equity[-1] - 1:.2%}",
        "CAGR": f"{performance.cagr:.2%}",
        "Volatility": f"{performance.volatility:.2%}",
        "Sharpe": f"{performance.sharpe:.3f}",
        "Sortino": f"{performance.sortino:.3f}",
        "Max Drawdown": f"{performance.max_drawdown:.2%}",
        "Calmar": f"{_calmar(performance):.3f}",
        "Win Rate": f"{(daily > 0).mean():.1%}",
        "Rolling Sharpe (30D)": f"{_recent_sharpe(daily, 30):.3f}",
        "Rolling Sharpe (90D)": f"{_recent_sharpe(daily, 90):.3f}",
        "Rolling Vol (30D)": f"{annual_volatility(daily[-30:]):.2%}",
    }


def _calmar(performance: Performance) -> float:
    depth = abs(performance.max_drawdown)
    return performance.cagr / depth if depth else float("nan")


def _recent_sharpe(daily: Floats, days: int) -> float:
    recent = daily[-days:]
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((recent.mean() * TRADING_DAYS - RISK_FREE) / annual_volatility(recent))
