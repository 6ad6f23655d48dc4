"""How old the stored prices of each group of tickers are. Source: contract section 4.6, data-status."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from target.catalogue.scanners import tickers_of
from target.catalogue.strategies import PIPELINE_TICKERS
from target.catalogue.trading_days import Market, last_trading_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tickers whose freshness is told together."""

    name: str
    market: Market
    tickers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The newest of what is stored; both None where nothing is. Times are naive UTC."""

    latest_on: date | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """One group against the day that it should have; without any prices it is stale by no days."""

    name: str
    last_cache_update: datetime | None
    latest_data_date: date | None
    expected_latest_date: date
    staleness_days: int
    is_stale: bool

    @property
    def needs_refresh(self) -> bool:
        """True where a refresh would bring something."""
        return self.is_stale

    @property
    def message(self) -> str:
        """The same as a sentence."""
        return "Data needs a refresh" if self.is_stale else "Data is current"


def groups() -> tuple[Group, ...]:
    """Return the four groups in the order of the answer."""
    return (
        Group(name="sp500", market=Market.US, tickers=tickers_of("sp500")),
        Group(name="nasdaq100", market=Market.US, tickers=tickers_of("nasdaq100")),
        Group(name="asx200", market=Market.AU, tickers=tickers_of("asx200")),
        Group(name="momentum", market=Market.US, tickers=PIPELINE_TICKERS),
    )


def judge_freshness(group: Group, stored: Mapping[str, Stored], now: datetime) -> Freshness:
    """Return how old the newest price of a group is; `stored` is by ticker, `now` the server's clock."""
    known = [stored[ticker] for ticker in group.tickers if ticker in stored]
    latest_on = max((each.latest_on for each in known if each.latest_on), default=None)
    expected = last_trading_date(group.market, now)
    missing_days = (expected - latest_on).days if latest_on else 0
    return Freshness(
        name=group.name,
        last_cache_update=max((each.updated_at for each in known if each.updated_at), default=None),
        latest_data_date=latest_on,
        expected_latest_date=expected,
        staleness_days=max(missing_days, 0),
        is_stale=latest_on is None or missing_days > 0,
    )


def overall_status(stale: int, total: int) -> str:
    """Return all_current, all_stale or partially_stale."""
    if stale == 0:
        return "all_current"
    return "all_stale" if stale == total else "partially_stale"
