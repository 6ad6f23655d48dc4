"""`/api/data` (contract section 4.3)."""

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, BackgroundTasks, HTTPException, Query
from pydantic import BaseModel

from legacy_adapter.app.services.cache_files import cache_counts, cache_listing
from legacy_adapter.app.settings import get_settings

router = APIRouter()

_YAHOO_TICKERS = {"^VIX", "^GSPC", "^DJI", "^IXIC", "BTC-USD", "BTC-AUD", "ETH-USD"}


class RefreshRequest(BaseModel):
    """Body of a refresh."""

    tickers: list[str] | None = None
    force: bool = False


@router.get("/status")
async def read_status() -> dict[str, Any]:
    """The cache folder and the sources."""
    return {
        "tiingo_status": "configured" if get_settings().TIINGO_API_KEY else "not_configured",
        "yfinance_status": "available",
        **cache_counts(),
    }


@router.post("/refresh")
async def refresh(request: RefreshRequest, background_tasks: BackgroundTasks) -> dict[str, Any]:
    """Fetches prices after the answer, if the loader's package is installed."""
    if not get_settings().TIINGO_INSTALLED:
        # LEGACY-PARITY: Q13, the image lacks the package.
        raise HTTPException(status_code=500, detail="Data loader module not available")
    from legacy_adapter.app.services.loader import DEFAULT_TICKERS, refresh_cache  # noqa: PLC0415

    tickers = request.tickers or DEFAULT_TICKERS
    background_tasks.add_task(refresh_cache, tickers, not request.force)
    return {
        "status": "started",
        "message": f"Refreshing {len(tickers)} tickers",
        "tickers_refreshed": len(tickers),
        "timestamp": datetime.now().isoformat(),
        "cache_status": cache_listing(),
    }


@router.get("/universe")
async def read_stock_universe(
    include_sp500: bool = Query(True),
    include_nasdaq: bool = Query(True),
    include_asx: bool = Query(True),
    include_etfs: bool = Query(True),
) -> dict[str, Any]:
    """Always fails: it imports a name that is not there, and tells the file's path (LEGACY-PARITY: Q13)."""
    module = Path.cwd() / "strategy" / "stock_universe.py"
    raise HTTPException(
        status_code=500,
        detail=f"Failed to load stock universe: cannot import name 'get_etf_info' "
        f"from 'strategy.stock_universe' ({module})",
    )


@router.get("/source/{ticker}")
async def read_source(ticker: str) -> dict[str, Any]:
    """Which source serves a ticker; told from its name alone."""
    if ticker.endswith(".AX") or ticker in _YAHOO_TICKERS:
        return {"ticker": ticker, "source": "yfinance", "coverage": "ASX shares, indices and crypto"}
    return {"ticker": ticker, "source": "tiingo", "coverage": "US shares and funds"}
