"""`/api/scanner` (contract section 4.7)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Depends, Query

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.security import require_token
from legacy_adapter.app.services import scans

router = APIRouter()

_NO_SCAN = "No scan has been run yet."


@router.get("/")
async def read_scanners() -> dict[str, Any]:
    """What can be scanned, and how the latest scan went."""
    described = load_data("scanners")
    state = scans.scan_state()
    return {
        "scanners": described["scanners"],
        "universes": described["universes"],
        "last_scan": state["last_scan"],
        "status": state["status"],
    }


@router.post("/run")
async def run_scan(
    request: scans.ScanRequest,
    background_tasks: BackgroundTasks,
    _claims: dict[str, Any] = Depends(require_token),
) -> dict[str, Any]:
    """Starts a scan after the answer."""
    scans.mark_running()
    background_tasks.add_task(scans.run_scan, request)
    return {
        "status": "started",
        "scanner_type": request.scanner_type,
        "universe": request.universe,
        "message": f"Scan with {request.scanner_type} started",
        "timestamp": datetime.now().isoformat(),
    }


@router.get("/status")
async def read_status() -> dict[str, Any]:
    """How the latest scan of this process went."""
    return scans.scan_state()


@router.get("/results")
async def read_results(
    scanner_type: str | None = Query(None),
    signal: str | None = Query(None),
    min_score: float | None = Query(None),
    limit: int = Query(50),
) -> dict[str, Any]:
    """The latest scan, filtered; the type asked for is ignored (LEGACY-PARITY: Q16)."""
    del scanner_type
    scan = scans.latest_scan()
    if not scan:
        return {"results": [], "message": _NO_SCAN, "generated_at": None}
    stocks = scan.get("stocks", [])
    if signal:
        stocks = [stock for stock in stocks if stock.get("signal") == signal.upper()]
    if min_score:
        # LEGACY-PARITY: Q16, zero counts as absent.
        stocks = [stock for stock in stocks if stock.get("score", 0) >= min_score]
    # LEGACY-PARITY: Q16, a limit of -1 drops the last one, and the total is what is left.
    stocks = stocks[:limit]
    return {
        "results": stocks,
        "total_found": len(stocks),
        "generated_at": scan.get("generated_at"),
        "scanner_type": scan.get("scanner_type"),
        "filters_applied": {"signal": signal, "min_score": min_score, "limit": limit},
    }


@router.get("/quallamaggie")
async def read_quallamaggie() -> dict[str, Any]:
    """The latest scan of any type."""
    scan = scans.latest_scan()
    if not scan:
        return {"results": [], "message": _NO_SCAN, "criteria": load_data("scanners")["criteria"]}
    return scan | {"retrieved_at": datetime.now().isoformat()}
