"""What the scanner presents, and which tickers its universes name. Source: contract section 4.7."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from target.catalogue.universes import get_universe

_DATA = Path(__file__).with_name("scanners.json")
_UNIVERSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sp500": ("SPX500",),
        "nasdaq100": ("NASDAQ100",),
        "asx200": ("ASX200",),
        "all": ("SPX500", "NASDAQ100", "ASX200"),
    }
)
_DEFAULT_UNIVERSE = "sp500"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerEntry:
    """One kind of scan as it is presented."""

    name: str
    description: str
    signals: Sequence[str]
    parameters: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerCatalogue:
    """The kinds of scan, the universes that can be named, and what a high tight flag is, for display."""

    scanners: Sequence[ScannerEntry]
    universes: Sequence[str]
    criteria: Mapping[str, str | bool]


@cache
def scanner_catalogue() -> ScannerCatalogue:
    """Return what the scanner presents."""
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    return ScannerCatalogue(**(data | {"scanners": [ScannerEntry(**entry) for entry in data["scanners"]]}))


def tickers_of(universe: str) -> tuple[str, ...]:
    """Return the tickers of one of the scanner's universes; LEGACY-PARITY: Q16, an unknown one means sp500."""
    keys = _UNIVERSES.get(universe, _UNIVERSES[_DEFAULT_UNIVERSE])
    return tuple(ticker for key in keys for ticker in get_universe(key).tickers)
