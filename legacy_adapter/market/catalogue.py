"""The market as a whole: tickers to histories, generated when they are first asked for."""

from datetime import date
from functools import lru_cache

from legacy_adapter.market.listings import Listing, load_listings, synthetic_listings
from legacy_adapter.market.prices import History, generate_history

DEFAULT_SEED = 20260130
_KEPT = 64


class Market:
    """All listings up to one last day, and `synthetic` ones beside them."""

    def __init__(self, *, seed: int = DEFAULT_SEED, last_day: date, synthetic: int = 0) -> None:
        self.seed = seed
        self.last_day = last_day
        self._listings = load_listings() | synthetic_listings(synthetic)
        self._history = lru_cache(maxsize=_KEPT)(self._generate)

    def tickers(self) -> list[str]:
        """Every ticker that was ever listed, by name."""
        return sorted(self._listings)

    def find(self, ticker: str) -> Listing | None:
        """Exact names, upper case; None for what was never listed or is not listed yet."""
        listing = self._listings.get(ticker)
        if listing is None or (listing.first_on is not None and listing.first_on > self.last_day):
            return None
        return listing

    def history(self, ticker: str) -> History:
        """Every day up to the last; raises KeyError for an unknown ticker."""
        return self._history(ticker)

    def _generate(self, ticker: str) -> History:
        return generate_history(self._listings[ticker], seed=self.seed, last_day=self.last_day)
