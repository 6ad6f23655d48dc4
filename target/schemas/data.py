"""Bodies of /api/data. Field order is the contract's."""

from pydantic import BaseModel

from target.schemas.fields import AnsweredTime, TickerList


class DataStatus(BaseModel):
    """The sources and the cache's files; sizes in MB of 1024² bytes, times naive UTC.

    Files are counted by market, told from their names alone.
    """

    tiingo_status: str
    yfinance_status: str = "available"
    cache_size_mb: float
    cache_files: int
    last_refresh: AnsweredTime | None
    us_tickers_cached: int
    asx_tickers_cached: int
    oldest_cache: AnsweredTime | None
    newest_cache: AnsweredTime | None


class RefreshOrder(BaseModel):
    """What to bring up to date; no tickers, or an empty list: the pipeline's. `force` asks for all of it again."""

    tickers: TickerList | None = None
    force: bool = False


class CachedFile(BaseModel):
    """One file of the cache."""

    name: str
    size_mb: float
    modified: AnsweredTime


class CacheListing(BaseModel):
    """The cache as it was when the refresh began; the first ten of its files."""

    cache_dir: str
    total_files: int
    total_size_mb: float
    oldest_cache: AnsweredTime | None
    newest_cache: AnsweredTime | None
    files: list[CachedFile]


class RefreshStarted(BaseModel):
    """The receipt of a refresh, which goes on after the answer."""

    status: str = "started"
    message: str
    tickers_refreshed: int
    timestamp: AnsweredTime
    cache_status: CacheListing


class StockUniverse(BaseModel):
    """The tickers of the chosen groups, each once, in the order of the groups."""

    total_tickers: int
    groups: dict[str, int]
    tickers: list[str]


class TickerSource(BaseModel):
    """Which source serves a ticker."""

    ticker: str
    source: str
    coverage: str
