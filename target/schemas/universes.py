"""Universes as they are answered."""

from pydantic import BaseModel


class UniverseEntry(BaseModel):
    """One universe; a ticker that its list names twice counts twice."""

    key: str
    name: str
    description: str
    region: str
    asset_class: str
    ticker_count: int


class UniverseDetail(UniverseEntry):
    """One universe with its tickers."""

    tickers: list[str]


class UniverseList(BaseModel):
    """All universes in the registry's order."""

    universes: list[UniverseEntry]
    count: int


class UniverseTickers(BaseModel):
    """The tickers of one universe."""

    universe: str
    tickers: list[str]
    count: int


class RegionEntry(BaseModel):
    """One universe of a region. The key comes last here: section 4.4."""

    name: str
    description: str
    region: str
    asset_class: str
    ticker_count: int
    key: str


class RegionUniverses(BaseModel):
    """The universes of one region."""

    region: str
    universes: list[RegionEntry]
    count: int
