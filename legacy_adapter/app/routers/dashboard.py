"""`/api/dashboard` (contract section 4.6). What is answered depends on files (LEGACY-PARITY: Q19)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Query

from legacy_adapter.app.security import require_token
from legacy_adapter.app.services import dashboards, freshness, universes
from legacy_adapter.app.services.result_files import all_results, find_json

router = APIRouter()


@router.get("/")
async def read_overview(_claims: dict[str, Any] = Depends(require_token)) -> dict[str, Any]:
    """All strategies with results."""
    return dashboards.overview(all_results())


@router.get("/quant1")
async def read_quant1() -> dict[str, Any]:
    """The first generation of strategies."""
    cached = find_json("dashboard/data/quant1_dashboard.json")
    if cached is not None:
        return _from_file(cached)
    return dashboards.quant1_skeleton()


@router.get("/quant2")
async def read_quant2(universe: str = Query("SPX500")) -> dict[str, Any]:
    """The second generation; an unknown universe is an error string with status 200."""
    cached = find_json("dashboard/data/quant2_dashboard.json")
    if cached is not None:
        return _from_file(cached) | {"universe": universe}
    try:
        info = universes.universe_info(universe)
    except universes.UnknownUniverseError as error:
        return {"error": str(error), "generated_at": datetime.now().isoformat()}
    return dashboards.quant2_skeleton(info, find_json("dashboard/quant2_data/regime_overview.json"))


@router.get("/olmar")
async def read_olmar() -> dict[str, Any]:
    """The mean-reversion strategy."""
    for path in ("dashboard/olmar_data.json", "dashboard/data/olmar_dashboard.json"):
        cached = find_json(path)
        if cached is not None:
            return _from_file(cached)
    return dashboards.olmar_skeleton()


@router.get("/backtest")
async def read_backtest() -> dict[str, Any]:
    """All backtests in a table."""
    cached = find_json("dashboard/data/comprehensive_backtest.json")
    if cached is not None:
        return _from_file(cached)
    rows = dashboards.comparison_rows(all_results())
    return {
        "generated_at": datetime.now().isoformat(),
        "source": "live",
        "comparison_table": rows,
        "total_strategies": len(rows),
        "config": {"initial_capital": 100000, "base_currency": "AUD"},
    }


@router.get("/comparison")
async def read_comparison(_claims: dict[str, Any] = Depends(require_token)) -> dict[str, Any]:
    """All strategies by final value."""
    return dashboards.comparison(all_results())


@router.get("/allocation")
async def read_allocation() -> dict[str, Any]:
    """What all strategies together would hold."""
    return dashboards.allocation(all_results())


@router.get("/data-status")
async def read_data_status() -> dict[str, Any]:
    """How old the prices are. The catalogue's content is discarded, so there is never any coverage."""
    checked = freshness.freshness()
    return {
        "check_time": datetime.now().isoformat(),
        "overall_status": checked["overall_status"],
        "freshness": checked,
        "coverage": [],
        "markets": freshness.markets(),
    }


def _from_file(cached: dict[str, Any]) -> dict[str, Any]:
    return cached | {"source": "cached", "retrieved_at": datetime.now().isoformat()}
