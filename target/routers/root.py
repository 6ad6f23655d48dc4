"""The three routes outside any resource: the root, its health, the list of the API."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request

router = APIRouter()

_RESOURCES = {
    "trades": "Trade journal and portfolio figures",
    "data": "Market data sources and cache",
    "strategies": "Strategy catalogue and backtests",
    "dashboard": "Combined view of strategies",
    "scanner": "Market scanner",
}


@router.get("/")
async def get_root(request: Request) -> dict[str, object]:
    """What this API is and where its parts are."""
    return {
        "message": request.app.title,
        "version": request.app.version,
        "docs": "/docs",
        "health": "/health",
        "endpoints": {name: f"/api/{name}" for name in (*_RESOURCES, "universes")},
        "data_sources": {
            "tiingo": "US Stocks, ETFs, Mutual Funds, Gold (Premium)",
            "yfinance": "ASX Stocks, ASX ETFs, VIX, BTC",
        },
    }


@router.get("/health")
async def get_health(request: Request) -> dict[str, str]:
    """Whether this process answers; it never touches the database."""
    return {
        "status": "healthy",
        "app": request.app.title,
        "version": request.app.version,
        # The legacy prints its local clock; a function's local clock is UTC.
        "timestamp": datetime.now(UTC).replace(tzinfo=None).isoformat(),
    }


@router.get("/api")
async def get_api(request: Request) -> dict[str, object]:
    """The resources that the contract lists here, which are not all there are."""
    paths = [{"path": f"/api/{name}", "description": text} for name, text in _RESOURCES.items()]
    return {"api_version": request.app.version, "endpoints": paths}
