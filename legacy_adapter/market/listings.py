"""What is listed: kind, exchange, first and last day of every ticker."""

import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("listings.json")


class Kind(StrEnum):
    """What a ticker is; it decides how its prices move."""

    EQUITY = "equity"
    FUND = "fund"
    BOND = "bond"
    INDEX = "index"
    CRYPTO = "crypto"


class Region(StrEnum):
    """Whose trading days a ticker has."""

    US = "US"
    AU = "AU"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One ticker; `last_on` is the last day on which it traded, None where it still does."""

    ticker: str
    kind: Kind
    first_on: date | None = None
    last_on: date | None = None

    @property
    def region(self) -> Region:
        """Told by the suffix, as Yahoo writes it."""
        return Region.AU if self.ticker.endswith(".AX") else Region.US


@lru_cache(maxsize=1)
def load_listings() -> dict[str, Listing]:
    """Every ticker of the market, by its name."""
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    first, last = content["listed_on"], content["delisted_on"]
    return {
        ticker: Listing(
            ticker=ticker,
            kind=kind,
            first_on=date.fromisoformat(first[ticker]) if ticker in first else None,
            last_on=date.fromisoformat(last[ticker]) if ticker in last else None,
        )
        for kind in Kind
        for ticker in content[kind]
    }


@lru_cache(maxsize=4)
def synthetic_listings(count: int) -> dict[str, Listing]:
    """So many US shares that nobody ever listed, SYN00000 and on: for universes larger than the legacy's."""
    tickers = (f"SYN{number:05}" for number in range(count))
    return {ticker: Listing(ticker=ticker, kind=Kind.EQUITY) for ticker in tickers}
