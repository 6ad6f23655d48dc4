"""Bodies of /api/dashboard/data-status. Field order is the contract's."""

from datetime import date

from pydantic import BaseModel

from target.schemas.fields import AnsweredTime


class UniverseFreshness(BaseModel):
    """One group against the day that it should have; without any prices it is stale by no days."""

    name: str
    last_cache_update: AnsweredTime | None
    latest_data_date: date | None
    expected_latest_date: date
    staleness_days: int
    is_stale: bool
    needs_refresh: bool
    message: str


class FreshnessReport(BaseModel):
    """How old the prices of all groups are."""

    check_time: AnsweredTime
    overall_status: str
    universes: list[UniverseFreshness]
    needs_refresh_count: int


class MarketDay(BaseModel):
    """The last day that prices can be expected of; no market is ever open here."""

    last_trading_date: date
    is_open: bool = False


class PricesStatus(BaseModel):
    """How old the stored prices are; coverage is always empty in the contract."""

    check_time: AnsweredTime
    overall_status: str
    freshness: FreshnessReport
    coverage: list[str] = []
    markets: dict[str, MarketDay]
