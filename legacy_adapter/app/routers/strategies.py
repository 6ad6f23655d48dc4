"""`/api/strategies` (contract section 4.5)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, BackgroundTasks, HTTPException

from legacy_adapter.app.services import backtests

router = APIRouter()

_COMPARED = ("total_return", "cagr", "sharpe_ratio", "max_drawdown", "win_rate")


@router.get("/")
async def list_strategies() -> list[dict[str, Any]]:
    """The catalogue."""
    return backtests.catalogue()


@router.get("/{strategy_name}")
async def read_strategy(strategy_name: str) -> dict[str, Any]:
    """One strategy with its latest results."""
    entry = _existing(strategy_name)
    results = backtests.latest_results(strategy_name)
    return entry | {"last_results": results, "has_results": results is not None}


@router.post("/run")
async def run_strategy(request: backtests.BacktestRequest, background_tasks: BackgroundTasks) -> dict[str, Any]:
    """Starts a backtest after the answer."""
    name = request.strategy_name
    _existing(name)
    now = datetime.now()
    backtest_id = f"{name}_{now:%Y%m%d_%H%M%S}"
    backtests.mark_running(name)
    background_tasks.add_task(backtests.run_backtest, backtest_id, request)
    return {
        "backtest_id": backtest_id,
        "status": "started",
        "strategy_name": name,
        "message": f"Backtest of {name} started",
        "timestamp": datetime.now().isoformat(),
    }


@router.get("/{strategy_name}/status")
async def read_status(strategy_name: str) -> dict[str, Any]:
    """How the latest run went; any name is answered."""
    status, has_results = backtests.backtest_status(strategy_name)
    return {
        "strategy_name": strategy_name,
        "status": status,
        "has_results": has_results,
        "timestamp": datetime.now().isoformat(),
    }


@router.get("/{strategy_name}/results")
async def read_results(strategy_name: str) -> Any:
    """The latest results; those of a failed run are only its error, with status 200."""
    results = backtests.latest_results(strategy_name)
    if results is None:
        detail = f"No results found for strategy '{strategy_name}'. Run a backtest first."
        raise HTTPException(status_code=404, detail=detail)
    return results


@router.get("/compare/all")
async def compare_strategies() -> dict[str, Any]:
    """All strategies whose results have metrics, under keys that the writers do not use (LEGACY-PARITY: Q14)."""
    rows = []
    for entry in backtests.catalogue():
        results = backtests.latest_results(entry["name"])
        if results and "metrics" in results:
            rows.append(_compared(entry, results))
    return {
        "comparison": rows,
        "generated_at": datetime.now().isoformat(),
        "strategies_compared": len(rows),
    }


def _compared(entry: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    metrics = results["metrics"]
    return {
        "strategy": entry["name"],
        "category": entry["category"],
        "final_value": results.get("final_value", "N/A"),
        **{key: metrics.get(key, "N/A") for key in _COMPARED},
    }


def _existing(name: str) -> dict[str, Any]:
    entry = backtests.find_strategy(name)
    if entry is None:
        detail = f"Strategy '{name}' not found. Available: {backtests.strategy_names()}"
        raise HTTPException(status_code=404, detail=detail)
    return entry
