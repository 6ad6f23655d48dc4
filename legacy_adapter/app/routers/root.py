"""`/`, `/health` and `/api` (contract section 4.1)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from legacy_adapter.app.settings import get_settings

router = APIRouter()

_PREFIXES = ("trades", "data", "strategies", "dashboard", "scanner", "universes")
_DESCRIPTIONS = {
    "/api/trades": "Trade journal and portfolio metrics",
    "/api/data": "Market data status and refresh",
    "/api/strategies": "Strategy catalogue and backtests",
    "/api/dashboard": "Dashboard data",
    "/api/scanner": "Stock scanners",
}


@router.get("/")
async def read_root() -> dict[str, Any]:
    """Where things are."""
    return {
        "message": get_settings().APP_NAME,
        "version": get_settings().APP_VERSION,
        "docs": "/docs",
        "health": "/health",
        "endpoints": {name: f"/api/{name}" for name in _PREFIXES},
        "data_sources": {
            "tiingo": "US Stocks, ETFs, Mutual Funds, Gold (Premium)",
            "yfinance": "ASX Stocks, ASX ETFs, VIX, BTC",
        },
    }


@router.get("/health")
async def read_health() -> dict[str, Any]:
    """Alive; never touches the database. The clock is local."""
    settings = get_settings()
    return {
        "status": "healthy",
        "app": settings.APP_NAME,
        "version": settings.APP_VERSION,
        "timestamp": datetime.now().isoformat(),
    }


@router.get("/api")
async def read_api() -> dict[str, Any]:
    """The documented prefixes; three are missing, as in the original."""
    endpoints = [{"path": path, "description": text} for path, text in _DESCRIPTIONS.items()]
    return {"api_version": get_settings().APP_VERSION, "endpoints": endpoints}
