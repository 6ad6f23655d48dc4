"""Backtests in this process: their status and results live in memory (LEGACY-PARITY: Q18)."""

import logging
import time
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.services.result_files import find_results, save_results

_logger = logging.getLogger(__name__)
_status: dict[str, str] = {}
_results: dict[str, dict[str, Any]] = {}


class BacktestRequest(BaseModel):
    """Body of a run; nothing is bounded, and the universe is ignored."""

    strategy_name: str
    start_date: str = "2020-01-01"
    end_date: str | None = None
    initial_capital: float = 100000
    tickers: list[str] | None = None
    universe: str = "SPX500"
    optimization_method: str = "HRP"


def catalogue() -> list[dict[str, Any]]:
    """All strategies, static."""
    entries: list[dict[str, Any]] = load_data("strategies")
    return entries


def strategy_names() -> list[str]:
    """Names in catalogue order."""
    return [entry["name"] for entry in catalogue()]


def find_strategy(name: str) -> dict[str, Any] | None:
    """The catalogue's entry."""
    return next((entry for entry in catalogue() if entry["name"] == name), None)


def latest_results(name: str) -> Any:
    """Memory wins over the file; None where there is neither."""
    return _results[name] if name in _results else find_results(name)


def backtest_status(name: str) -> tuple[str, bool]:
    """Status text, and whether memory holds results."""
    return _status.get(name, "not_started"), name in _results


def mark_running(name: str) -> None:
    """From the request until the run ends."""
    _status[name] = "running"


async def run_backtest(backtest_id: str, request: BacktestRequest) -> None:
    """Runs on the event loop, which stands still meanwhile, as in the original."""
    name = request.strategy_name
    try:
        results = _run(backtest_id, request)
        _results[name] = results
        save_results(name, results)
        _status[name] = "completed"
    except ValueError as error:
        _fail(name, f"Invalid parameter: {error}")
    except Exception as error:
        _fail(name, str(error))


def _run(backtest_id: str, request: BacktestRequest) -> dict[str, Any]:
    from legacy_adapter.app.services.pipeline import run_pipeline  # noqa: PLC0415 - imports pandas

    started = time.perf_counter()
    outcome = run_pipeline(request)
    return {
        "backtest_id": backtest_id,
        "strategy_name": request.strategy_name,
        "completed_at": datetime.now().isoformat(),
        "config": {
            "start_date": request.start_date,
            "end_date": request.end_date,
            "initial_capital": request.initial_capital,
            "optimization_method": request.optimization_method,
        },
        "metrics": outcome.metrics,
        "final_value": outcome.final_value,
        "weights": outcome.weights,
        "execution_time": time.perf_counter() - started,
    }


def _fail(name: str, text: str) -> None:
    _logger.error("backtest %s failed: %s", name, text)
    _results[name] = {"error": text}
    _status[name] = f"failed: {text}"
