"""The figures of a backtest under the names that comparisons use."""

import math
from collections.abc import Mapping

# The legacy looked its own figures up under these names and never found them (Q14).
_WRITTEN_AS = {
    "total_return": "Total Return",
    "cagr": "CAGR",
    "volatility": "Volatility",
    "sharpe_ratio": "Sharpe",
    "sortino_ratio": "Sortino",
    "max_drawdown": "Max Drawdown",
    "calmar_ratio": "Calmar",
    "win_rate": "Win Rate",
}

METRIC_NAMES = tuple(_WRITTEN_AS)
ABSENT = "N/A"


def displayed_metrics(metrics: Mapping[str, str]) -> dict[str, str]:
    """Return every one of METRIC_NAMES as text for display, "N/A" where the backtest has none."""
    return {name: metrics.get(written, ABSENT) for name, written in _WRITTEN_AS.items()}


def fraction_of(text: str) -> float:
    """Return 0.152 for "15.2%"; 0 for what is no finite number."""
    try:
        number = float(text.rstrip("%"))
    except ValueError:
        return 0.0
    return number / (100 if text.endswith("%") else 1) if math.isfinite(number) else 0.0
