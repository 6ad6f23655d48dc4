"""The eight universes, in the order of the registry. Source: contract section 4.4."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_LISTS = Path(__file__).with_name("universes.json")


class UnknownUniverse(LookupError):
    """No universe has this key; keys are case-sensitive. The text is the contract's."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Unknown universe '{key}'. Available: {universe_keys()}")


class UnknownRegion(LookupError):
    """No universe lies in this region. The text is the contract's, with the regions in the registry's order."""

    def __init__(self, region: str) -> None:
        regions = list(dict.fromkeys(universe.region for universe in list_universes()))
        super().__init__(f"No universes found for region '{region}'. Available: {regions}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """A named list of tickers; the list may name one twice, as the Russell 2000's does."""

    key: str
    name: str
    description: str
    region: str
    asset_class: str
    tickers: tuple[str, ...]


def universe_keys() -> list[str]:
    """Return the keys in the registry's order."""
    return list(_registry())


def list_universes() -> tuple[Universe, ...]:
    """Return all universes in the registry's order."""
    return tuple(_registry().values())


def get_universe(key: str) -> Universe:
    """Return one universe.

    Raises:
        UnknownUniverse: there is none of this key.
    """
    universe = _registry().get(key)
    if universe is None:
        raise UnknownUniverse(key)
    return universe


def list_in_region(region: str) -> tuple[Universe, ...]:
    """Return the universes of a region such as US, in the registry's order.

    Raises:
        UnknownRegion: there is none.
    """
    found = tuple(universe for universe in list_universes() if universe.region == region)
    if not found:
        raise UnknownRegion(region)
    return found


@cache
def _registry() -> Mapping[str, Universe]:
    entries = [Universe(**(entry | {"tickers": tuple(entry["tickers"])})) for entry in json.loads(_LISTS.read_text())]
    return MappingProxyType({universe.key: universe for universe in entries})
