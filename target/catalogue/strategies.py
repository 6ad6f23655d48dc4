"""The strategies that the API offers, in the order of its list. Source: contract section 4.5."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_CATALOGUE = Path(__file__).with_name("strategies.json")

PIPELINE_TICKERS = (
    *("SPY", "QQQ", "IWM", "DIA", "VTI", "VTV", "VUG", "MTUM", "EFA", "EEM", "VEA", "VWO"),
    *("XLK", "XLF", "XLE", "XLV", "XLI", "XLP", "XLY", "XLU", "XLB", "VNQ"),
    *("TLT", "IEF", "SHY", "BND", "AGG", "LQD", "HYG", "TIP", "GLD", "SLV", "DBC", "USO"),
)
"""What a backtest chooses from unless its request names tickers; the request's universe is ignored."""


class UnknownStrategyName(LookupError):
    """The API offers no strategy of this name. The text is the contract's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Strategy '{name}' not found. Available: {[entry.name for entry in list_strategies()]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """One strategy as it is presented; `parameters` describe it and are not read by any calculation."""

    name: str
    category: str
    description: str
    parameters: Mapping[str, int | float | str]
    status: str


@cache
def list_strategies() -> tuple[CatalogueEntry, ...]:
    """Return all strategies in the order of the list."""
    return tuple(CatalogueEntry(**entry) for entry in json.loads(_CATALOGUE.read_text(encoding="utf-8")))


def get_strategy(name: str) -> CatalogueEntry:
    """Return one strategy; names are case-sensitive.

    Raises:
        UnknownStrategyName: there is none of this name.
    """
    for entry in list_strategies():
        if entry.name == name:
            return entry
    raise UnknownStrategyName(name)
