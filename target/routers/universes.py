"""/api/universes: the named lists of tickers.

The order of the routes is part of the contract: `/regions/tickers` is answered as the tickers of a universe "regions".
"""

from fastapi import APIRouter

from target.catalogue.universes import (
    Universe,
    UnknownRegion,
    UnknownUniverse,
    get_universe,
    list_in_region,
    list_universes,
)
from target.errors import UniverseNotFound
from target.routers.answers import may_answer
from target.schemas.universes import (
    RegionEntry,
    RegionUniverses,
    UniverseDetail,
    UniverseEntry,
    UniverseList,
    UniverseTickers,
)

router = APIRouter(prefix="/api/universes", tags=["universes"])


@router.get("/")
async def get_universes() -> UniverseList:
    """All universes with their sizes."""
    entries = [UniverseEntry(**_facts(universe)) for universe in list_universes()]
    return UniverseList(universes=entries, count=len(entries))


@router.get("/{universe_key}", responses=may_answer(404))
async def get_one_universe(universe_key: str) -> UniverseDetail:
    """One universe with its tickers; keys are case-sensitive."""
    universe = _existing(universe_key)
    return UniverseDetail(**_facts(universe), tickers=list(universe.tickers))


@router.get("/{universe_key}/tickers", responses=may_answer(404))
async def get_tickers(universe_key: str) -> UniverseTickers:
    """The tickers of one universe alone."""
    universe = _existing(universe_key)
    return UniverseTickers(universe=universe.key, tickers=list(universe.tickers), count=len(universe.tickers))


@router.get("/regions/{region}", responses=may_answer(404))
async def get_region(region: str) -> RegionUniverses:
    """The universes of a region, in any case of letters."""
    wanted = region.upper()
    try:
        found = [RegionEntry(**_facts(universe)) for universe in list_in_region(wanted)]
    except UnknownRegion as error:
        raise UniverseNotFound(str(error)) from error
    return RegionUniverses(region=wanted, universes=found, count=len(found))


def _existing(key: str) -> Universe:
    try:
        return get_universe(key)
    except UnknownUniverse as error:
        raise UniverseNotFound(str(error)) from error


def _facts(universe: Universe) -> dict[str, object]:
    return {
        "key": universe.key,
        "name": universe.name,
        "description": universe.description,
        "region": universe.region,
        "asset_class": universe.asset_class,
        "ticker_count": len(universe.tickers),
    }
