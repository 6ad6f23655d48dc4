"""A backtest from prices to metrics (contract section 4.5, Pipeline), deterministic given the prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.services.backtests import BacktestRequest
from legacy_adapter.app.services.market_sources import fetch_all, fetch_yahoo

_DAYS = 252
_RISK_FREE = 0.04
_BONDS = ("TLT", "IEF", "BND")
_MOMENTUM = {"Momentum_21D": 21, "Momentum_63D": 63, "Momentum_126D": 126}
_TOP = 5
_FEWEST_PRESENT = 0.7
_BOUNDS = (0.02, 0.30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a backtest came to; metrics are texts for display."""

    metrics: dict[str, str]
    final_value: float
    weights: dict[str, float]


def run_pipeline(request: BacktestRequest) -> Outcome:
    """Prices, signals, weights, and the equity of holding those weights throughout.

    Raises:
        ValueError: there are no prices, or the pipeline does not know the strategy.
    """
    prices = _load_prices(request.tickers or load_data("pipeline_tickers"), request)
    returns = prices.pct_change(fill_method=None).dropna(how="any")
    signals = _signals(request.strategy_name, prices)
    weights = _bounded(_allocate(request.optimization_method, returns, signals))
    # LEGACY-PARITY: the last day's weights are applied to the whole past.
    portfolio = (returns[weights.index] * weights).sum(axis=1)
    equity = (1 + portfolio).cumprod()
    return Outcome(
        metrics=_metrics(portfolio, equity),
        final_value=float(request.initial_capital * equity.iloc[-1]),
        weights={str(ticker): float(weight) for ticker, weight in weights.items()},
    )


def _load_prices(tickers: Sequence[str], request: BacktestRequest) -> pd.DataFrame:
    frames: dict[str, pd.DataFrame] = {}
    try:
        start = date.fromisoformat(request.start_date[:10])
        end = date.fromisoformat(request.end_date[:10]) if request.end_date else date.today()
        frames = fetch_all(tickers, start, end, fetch_yahoo)
    except ValueError:
        pass  # a date that cannot be read fetches nothing, as in the original
    if not frames:
        raise ValueError("Failed to fetch price data")
    prices = pd.DataFrame({ticker: frame["Close"] for ticker, frame in frames.items()})
    kept = prices.loc[:, prices.notna().mean() >= _FEWEST_PRESENT].dropna(how="all")
    if kept.empty:
        raise ValueError("Failed to fetch price data")
    return kept


def _signals(strategy: str, prices: pd.DataFrame) -> pd.Series:
    """The last row's signals: 1 to hold."""
    if strategy == "HRP":
        return pd.Series(1, index=prices.columns)
    if strategy == "Dual_Momentum":
        return _dual_momentum(prices)
    if strategy in _MOMENTUM:
        return _momentum(prices, _MOMENTUM[strategy])
    # LEGACY-PARITY: Q13, ten of the twelve names that the API offers end here.
    known = [*_MOMENTUM, "Dual_Momentum", "HRP"]
    raise ValueError(f"Unknown strategy: {strategy}. Available: {known}")


def _momentum(prices: pd.DataFrame, days: int) -> pd.Series:
    gains = prices.pct_change(days, fill_method=None).iloc[-1]
    best = gains[gains > 0].nlargest(_TOP).index
    return pd.Series(prices.columns.isin(best).astype(int), index=prices.columns)


def _dual_momentum(prices: pd.DataFrame) -> pd.Series:
    gains = prices.pct_change(_DAYS, fill_method=None).iloc[-1]
    risky = gains.drop(labels=[bond for bond in _BONDS if bond in gains.index]).dropna()
    safe = gains[[bond for bond in _BONDS if bond in gains.index]].dropna()
    chosen = None
    if not risky.empty and risky.max() > _RISK_FREE * _DAYS / _DAYS:
        chosen = risky.idxmax()
    elif not safe.empty:
        chosen = safe.idxmax()
    return pd.Series((prices.columns == chosen).astype(int), index=prices.columns)


def _allocate(method: str, returns: pd.DataFrame, signals: pd.Series) -> pd.Series:
    if method in {"HRP", "MVO"}:
        active = [ticker for ticker in returns.columns if signals[ticker] == 1]
        if len(active) < 2:
            return pd.Series(1 / len(returns.columns), index=returns.columns)
        # The optimiser's package is absent, and its fallback is inverse volatility.
        return _inverse_volatility(returns[active])
    return _inverse_volatility(returns)


def _inverse_volatility(returns: pd.DataFrame) -> pd.Series:
    inverse = 1 / (returns.std() * np.sqrt(_DAYS))
    return inverse / inverse.sum()


def _bounded(weights: pd.Series) -> pd.Series:
    # LEGACY-PARITY: normalising after clipping lets weights exceed the cap again.
    clipped = weights.clip(*_BOUNDS)
    return clipped / clipped.sum()


def _metrics(portfolio: pd.Series, equity: pd.Series) -> dict[str, str]:
    cagr = equity.iloc[-1] ** (_DAYS / len(portfolio)) - 1
    volatility = portfolio.std() * np.sqrt(_DAYS)
    drawdown = (equity / equity.cummax() - 1).min()
    excess = portfolio.mean() * _DAYS - _RISK_FREE
    downside = portfolio[portfolio < 0].std() * np.sqrt(_DAYS)
    return {
        "Total Return": f"{equity.iloc[-1] - 1:.2%}",
        "CAGR": f"{cagr:.2%}",
        "Volatility": f"{volatility:.2%}",
        "Sharpe": f"{excess / volatility:.3f}",
        "Sortino": f"{excess / downside:.3f}",
        "Max Drawdown": f"{drawdown:.2%}",
        "Calmar": f"{_ratio(cagr, abs(drawdown)):.3f}",
        "Win Rate": f"{(portfolio > 0).mean():.1%}",
        "Rolling Sharpe (30D)": f"{_rolling_sharpe(portfolio, 30):.3f}",
        "Rolling Sharpe (90D)": f"{_rolling_sharpe(portfolio, 90):.3f}",
        "Rolling Vol (30D)": f"{portfolio.tail(30).std() * np.sqrt(_DAYS):.2%}",
    }


def _rolling_sharpe(portfolio: pd.Series, days: int) -> Any:
    recent = portfolio.tail(days)
    return (recent.mean() * _DAYS - _RISK_FREE) / (recent.std() * np.sqrt(_DAYS))


def _ratio(value: Any, by: Any) -> Any:
    return value / by if by else float("nan")
