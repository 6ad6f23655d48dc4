"""How old the stored prices of each group of tickers are. Source: contract section 4.6, data-status."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from target.catalogue.scanners import tickers_of
from target.catalogue.strategies import PIPELINE_TICKERS
from target.catalogue.trading_days import Market, last_trading_date
from target.schemas.freshness import FreshnessReport, MarketDay, PricesStatus, UniverseFreshness


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


def groups() -> tuple[Group, ...]:
    """Return the four groups in the order of the answer."""
    return (
        Group(name="sp500", market=Market.US, tickers=tickers_of("sp500")),
        Group(name="nasdaq100", market=Market.US, tickers=tickers_of("nasdaq100")),
        Group(name="asx200", market=Market.AU, tickers=tickers_of("asx200")),
        Group(name="momentum", market=Market.US, tickers=PIPELINE_TICKERS),
    )


def prices_status(stored: Mapping[str, Stored], now: datetime) -> PricesStatus:
    """Return how old the newest prices of all groups are; `stored` is by ticker, `now` the server's clock."""
    judged = [judge_freshness(group, stored, now) for group in groups()]
    stale = sum(each.needs_refresh for each in judged)
    overall = _overall_status(stale, len(judged))
    return PricesStatus(
        check_time=now,
        overall_status=overall,
        freshness=FreshnessReport(check_time=now, overall_status=overall, universes=judged, needs_refresh_count=stale),
        markets={market: MarketDay(last_trading_date=last_trading_date(market, now)) for market in Market},
    )


def judge_freshness(group: Group, stored: Mapping[str, Stored], now: datetime) -> UniverseFreshness:
    """Return how old the newest price of one group is."""
    known = [stored[ticker] for ticker in group.tickers if ticker in stored]
    latest_on = max((each.latest_on for each in known if each.latest_on), default=None)
    expected = last_trading_date(group.market, now)
    missing_days = (expected - latest_on).days if latest_on else 0
    is_stale = latest_on is None or missing_days > 0
    return UniverseFreshness(
        name=group.name,
        last_cache_update=max((each.updated_at for each in known if each.updated_at), default=None),
        latest_data_date=latest_on,
        expected_latest_date=expected,
        staleness_days=max(missing_days, 0),
        is_stale=is_stale,
        needs_refresh=is_stale,
        message="Data needs a refresh" if is_stale else "Data is current",
    )


def _overall_status(stale: int, total: int) -> str:
    if stale == 0:
        return "all_current"
    return "all_stale" if stale == total else "partially_stale"
