"""`/api/universes` (contract section 4.4)."""

from typing import Any

from fastapi import APIRouter, HTTPException

from legacy_adapter.app.services import universes

router = APIRouter()


@router.get("/")
async def list_universes() -> dict[str, Any]:
    """All universes with their sizes."""
    entries = [_key_first(universes.universe_info(key)) for key in universes.universe_keys()]
    return {"universes": entries, "count": len(entries)}


@router.get("/{universe_key}")
async def read_universe(universe_key: str) -> dict[str, Any]:
    """One universe with its tickers."""
    try:
        info = _key_first(universes.universe_info(universe_key))
        return info | {"tickers": universes.universe_tickers(universe_key)}
    except universes.UnknownUniverseError as error:
        raise HTTPException(status_code=404, detail=str(error)) from error


@router.get("/{universe_key}/tickers")
async def read_tickers(universe_key: str) -> dict[str, Any]:
    """The tickers alone. It also takes `/regions/tickers`, since it comes first."""
    try:
        tickers = universes.universe_tickers(universe_key)
    except universes.UnknownUniverseError as error:
        raise HTTPException(status_code=404, detail=str(error)) from error
    return {"universe": universe_key, "tickers": tickers, "count": len(tickers)}


@router.get("/regions/{region}")
async def list_region(region: str) -> dict[str, Any]:
    """The universes of a region, in any case of letters."""
    wanted = region.upper()
    try:
        found = universes.universes_in(wanted)
    except universes.UnknownUniverseError as error:
        raise HTTPException(status_code=404, detail=str(error)) from error
    return {"region": wanted, "universes": found, "count": len(found)}


def _key_first(info: dict[str, Any]) -> dict[str, Any]:
    return {"key": info["key"]} | info
