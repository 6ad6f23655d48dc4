"""Dashboard bodies from result files (contract section 4.6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from legacy_adapter.app.services.arithmetic import sum_in_order

# LEGACY-PARITY: Q14, these are not the keys that backtests write.
_METRICS = (
    "total_return",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "max_drawdown",
    "calmar_ratio",
    "win_rate",
)
_QUANT1 = ("Momentum", "Dual_Momentum", "HRP", "InverseVolatility")
_QUANT2 = ("Regime_Detection", "Stat_Arb", "Residual_Momentum", "Meta_Labeling", "Short_Vol", "NCO")


def overview(results: Mapping[str, Any]) -> dict[str, Any]:
    """Every strategy with results, and the first of those with the greatest CAGR."""
    rows = [_overview_row(name, data) for name, data in results.items()]
    best = max(rows, key=lambda row: _fraction(row["cagr"]), default=None)
    best_cagr = _fraction(best["cagr"]) if best else 0.0
    return {
        "generated_at": datetime.now().isoformat(),
        "summary": {
            "total_strategies": len(rows),
            "strategies_with_results": sum(row["status"] == "active" for row in rows),
            "best_performer": best["name"] if best else None,
            "best_cagr": f"{best_cagr * 100:.1f}%" if best_cagr else "N/A",
        },
        "strategies": rows,
        "last_update": datetime.now().isoformat(),
    }


def comparison_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, final value and eight metrics of every strategy, "N/A" where absent."""
    return [
        {
            "strategy": name,
            "final_value": data.get("final_value", "N/A"),
            **{key: data.get("metrics", {}).get(key, "N/A") for key in _METRICS},
        }
        for name, data in results.items()
    ]


def comparison(results: Mapping[str, Any]) -> dict[str, Any]:
    """The rows by final value, greatest first."""
    rows = sorted(comparison_rows(results), key=lambda row: _number(row["final_value"]), reverse=True)
    if not rows:
        return {
            "comparison": [],
            "message": "No backtest results yet. Run a backtest first.",
            "generated_at": datetime.now().isoformat(),
        }
    return {
        "comparison": rows,
        "metrics": list(_METRICS),
        "strategies_count": len(rows),
        "generated_at": datetime.now().isoformat(),
    }


def allocation(results: Mapping[str, Any]) -> dict[str, Any]:
    """The mean weight of each ticker over the strategies that hold it, normalised to one, greatest first."""
    by_strategy = {name: data["weights"] for name, data in results.items() if data.get("weights")}
    held: dict[str, list[float]] = {}
    for weights in by_strategy.values():
        for ticker, weight in weights.items():
            held.setdefault(ticker, []).append(weight)
    means = {ticker: sum_in_order(weights) / len(weights) for ticker, weights in held.items()}
    total = sum_in_order(means.values())
    if total > 0:
        means = {ticker: weight / total for ticker, weight in means.items()}
    combined = dict(sorted(means.items(), key=lambda item: item[1], reverse=True))
    return {
        "generated_at": datetime.now().isoformat(),
        "combined_allocation": combined,
        "by_strategy": by_strategy,
        "total_positions": len(combined),
        "strategies_used": len(by_strategy),
        "note": "Mean of the weights of all strategies",
    }


def quant1_skeleton() -> dict[str, Any]:
    """What is answered until a dashboard file exists."""
    return {
        "generated_at": datetime.now().isoformat(),
        "source": "live",
        "strategies": _no_data(_QUANT1),
    }


def quant2_skeleton(universe: dict[str, Any], regime: Any) -> dict[str, Any]:
    """What is answered until a dashboard file exists."""
    return {
        "generated_at": datetime.now().isoformat(),
        "source": "live",
        "universe": universe,
        "universe_key": universe["key"],
        "ticker_count": universe["ticker_count"],
        "regime": regime or _unknown_regime(),
        "strategies": _no_data(_QUANT2),
    }


def olmar_skeleton() -> dict[str, Any]:
    """What is answered until a dashboard file exists."""
    return {
        "generated_at": datetime.now().isoformat(),
        "source": "live",
        "strategy": "OLMAR",
        "description": "Online moving-average reversion",
        "parameters": {"window": 5, "epsilon": 10, "universe": "NASDAQ-100"},
        "status": "no_data",
        "message": "Run the OLMAR strategy to fill this dashboard.",
    }


def _overview_row(name: str, data: Any) -> dict[str, Any]:
    metrics = data.get("metrics", {})
    return {
        "name": name,
        "final_value": data.get("final_value", "N/A"),
        "cagr": metrics.get("cagr", "N/A"),
        "sharpe": metrics.get("sharpe_ratio", "N/A"),
        "max_drawdown": metrics.get("max_drawdown", "N/A"),
        "status": "active" if metrics else "no_data",
    }


def _fraction(text: Any) -> float:
    try:
        return float(str(text).rstrip("%")) / (100 if str(text).endswith("%") else 1)
    except ValueError:
        return 0.0


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _no_data(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"status": "no_data", "message": "Run a backtest to see results."} for name in names}


def _unknown_regime() -> dict[str, Any]:
    return {
        "current": "UNKNOWN",
        "probabilities": {"bull": 0.33, "bear": 0.33, "sideways": 0.34},
        "message": "No regime model has been run.",
    }
