"""`/api/quant2` (contract section 4.8)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from legacy_adapter.app.services import universes
from legacy_adapter.app.services.arithmetic import sum_in_order
from legacy_adapter.app.services.rankings import rank_universe

router = APIRouter()

_LOOKBACK_MONTHS = 36
_SCORING_MONTHS = 12
_SORT_KEYS = {"score", "ticker", "r_squared", "beta_mkt"}


class StockRanking(BaseModel):
    """One ranked stock."""

    rank: int
    ticker: str
    score: float
    r_squared: float | None = None
    beta_mkt: float | None = None
    beta_smb: float | None = None
    beta_hml: float | None = None
    residual_vol: float | None = None


class RankingResponse(BaseModel):
    """The head of a ranking, and its tail where asked for."""

    universe: str
    universe_name: str
    generated_at: str
    lookback_months: int
    scoring_months: int
    stocks_ranked: int
    top_score: float
    avg_r_squared: float
    rankings: list[StockRanking]
    bottom_rankings: list[StockRanking] | None = None


class FullRankingResponse(BaseModel):
    """A whole ranking, filtered and sorted."""

    universe: str
    universe_name: str
    generated_at: str
    total_stocks: int
    filtered_stocks: int
    sort_by: str
    sort_order: str
    min_score: float | None = None
    max_score: float | None = None
    stocks: list[StockRanking]


@router.get("/residual-momentum", response_model=RankingResponse)
async def read_ranking(
    universe: str = Query("SPX500"),
    top_n: int = Query(20, ge=5, le=100),
    include_bottom: bool = Query(False),
) -> dict[str, Any]:
    """The best of a universe."""
    info = _existing(universe)
    ranked = rank_universe(universe)
    return {
        "universe": universe,
        "universe_name": info["name"],
        "generated_at": datetime.now().isoformat(),
        "lookback_months": _LOOKBACK_MONTHS,
        "scoring_months": _SCORING_MONTHS,
        "stocks_ranked": len(ranked),
        "top_score": ranked[0]["score"],
        "avg_r_squared": round(sum_in_order(stock["r_squared"] for stock in ranked) / len(ranked), 2),
        "rankings": ranked[:top_n],
        "bottom_rankings": ranked[-top_n:] if include_bottom else None,
    }


@router.get("/residual-momentum/all", response_model=FullRankingResponse)
async def read_full_ranking(
    universe: str = Query("SPX500"),
    sort_by: str = Query("score"),
    sort_order: str = Query("desc"),
    min_score: float | None = Query(None),
    max_score: float | None = Query(None),
) -> dict[str, Any]:
    """All of a universe, filtered, sorted and numbered again."""
    info = _existing(universe)
    ranked = rank_universe(universe)
    kept = [stock for stock in ranked if _is_within(stock["score"], min_score, max_score)]
    key = sort_by if sort_by in _SORT_KEYS else "score"
    kept.sort(key=lambda stock: stock[key], reverse=sort_order == "desc")
    return {
        "universe": universe,
        "universe_name": info["name"],
        "generated_at": datetime.now().isoformat(),
        "total_stocks": len(ranked),
        "filtered_stocks": len(kept),
        "sort_by": sort_by,
        "sort_order": sort_order,
        "min_score": min_score,
        "max_score": max_score,
        "stocks": [stock | {"rank": rank} for rank, stock in enumerate(kept, start=1)],
    }


@router.get("/validate-universe")
async def validate_universe(universe: str = Query(...)) -> dict[str, Any]:
    """Whether a universe is known; an unknown one is answered with 200."""
    try:
        tickers = universes.universe_tickers(universe)
    except universes.UnknownUniverseError as error:
        return _validated(universe, False, [], f"Error: {error}")
    return _validated(universe, True, tickers, "OK")


@router.get("/universes-summary")
async def summarise_universes() -> dict[str, Any]:
    """All universes with a sample each."""
    summaries = [_summary(key) for key in universes.universe_keys()]
    return {
        "generated_at": datetime.now().isoformat(),
        "total_universes": len(summaries),
        "universes": summaries,
    }


def _existing(universe: str) -> dict[str, Any]:
    try:
        return universes.universe_info(universe)
    except universes.UnknownUniverseError as error:
        detail = f"Invalid universe '{universe}'. Available: {universes.universe_keys()}"
        raise HTTPException(status_code=400, detail=detail) from error


def _is_within(score: float, lowest: float | None, highest: float | None) -> bool:
    if lowest is not None and not score >= lowest:
        return False
    return highest is None or score <= highest


def _validated(universe: str, is_valid: bool, tickers: list[str], status: str) -> dict[str, Any]:
    return {
        "universe": universe,
        "valid": is_valid,
        "ticker_count": len(tickers),
        "sample_tickers": tickers[:10],
        "api_status": status,
    }


def _summary(key: str) -> dict[str, Any]:
    info = universes.universe_info(key)
    return {
        "key": key,
        "name": info["name"],
        "region": info["region"],
        "ticker_count": info["ticker_count"],
        "sample": universes.universe_tickers(key)[:5],
        "status": "available",
    }
