"""/api/data: the cache of prices, where prices come from, and which tickers there are.

The order of the routes is part of the contract: `Allow` names the verbs of the first route that matches a path.
"""

from pathlib import PurePath

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter

from target.auth import guard_write
from target.catalogue.strategies import PIPELINE_TICKERS
from target.catalogue.universes import get_universe
from target.clock import utc_now
from target.jobs.requests import RefreshRequest
from target.jobs.submission import JobSubmission
from target.market_data.bars import Source
from target.market_data.sources import source_of
from target.routers.answers import may_answer
from target.routers.second_stage import hold_to
from target.schemas.data import DataStatus, RefreshOrder, RefreshStarted, StockUniverse, TickerSource
from target.secrets import SecretStore
from target.services.cache_listing import ages, count_us, listing, total_mb
from target.settings import Settings
from target.storage.price_listing import list_price_files

router = APIRouter(prefix="/api/data", tags=["data"], responses=may_answer(503))

_ORDER = TypeAdapter(RefreshOrder)
_COVERAGE = {Source.TIINGO: "US shares and funds", Source.YFINANCE: "ASX shares, indices and crypto"}


@router.get("/status")
async def get_status(request: Request) -> DataStatus:
    """The sources, and the files that the cache consists of."""
    files = await list_price_files(request.app.state.objects)
    oldest, newest = ages(files)
    us = count_us(files)
    return DataStatus(
        tiingo_status="configured" if await _has_tiingo(request) else "not_configured",
        cache_size_mb=total_mb(files),
        cache_files=len(files),
        last_refresh=newest,
        us_tickers_cached=us,
        asx_tickers_cached=len(files) - us,
        oldest_cache=oldest,
        newest_cache=newest,
    )


@router.post("/refresh", dependencies=[Depends(guard_write)], responses=may_answer(400, 401))
async def start_refresh(order: RefreshOrder, request: Request) -> RefreshStarted:
    """Bring the cached prices of these tickers up to date, in the background (Q13: it works)."""
    order = hold_to(_ORDER, await request.json(), "body")
    tickers = order.tickers or PIPELINE_TICKERS
    files = await list_price_files(request.app.state.objects)
    jobs: JobSubmission = request.app.state.jobs
    await jobs.submit(RefreshRequest(tickers=tickers, force=order.force).to_job())
    return RefreshStarted(
        message=f"Refreshing {len(tickers)} tickers",
        tickers_refreshed=len(tickers),
        timestamp=utc_now(),
        cache_status=listing(files, _folder(request.app.state.settings)),
    )


@router.get("/universe")
async def get_stock_universe(
    include_sp500: bool = True, include_nasdaq: bool = True, include_asx: bool = True, include_etfs: bool = True
) -> StockUniverse:
    """The tickers of the chosen groups (Q13: it works; the legacy never showed a shape)."""
    chosen = {
        "sp500": ("SPX500",) * include_sp500,
        "nasdaq": ("NASDAQ100",) * include_nasdaq,
        "asx": ("ASX200",) * include_asx,
        "etfs": ("US_ETFS", "ASX_ETFS") * include_etfs,
    }
    groups = {name: _tickers(keys) for name, keys in chosen.items() if keys}
    tickers = list(dict.fromkeys(ticker for group in groups.values() for ticker in group))
    counts = {name: len(group) for name, group in groups.items()}
    return StockUniverse(total_tickers=len(tickers), groups=counts, tickers=tickers)


@router.get("/source/{ticker}", responses=may_answer(404))
async def get_source(ticker: str) -> TickerSource:
    """Which source serves a ticker, told from its name alone; case matters."""
    source = source_of(ticker)
    return TickerSource(ticker=ticker, source=source, coverage=_COVERAGE[source])


async def _has_tiingo(request: Request) -> bool:
    secrets: SecretStore = request.app.state.secrets
    return bool((await secrets.get_tiingo_token()).get_secret_value())


def _folder(settings: Settings) -> str:
    """The cache's folder as the legacy names its own; the bucket is nobody's business."""
    return str(PurePath(settings.s3_cache_prefix if settings.use_s3_cache else settings.local_cache_directory))


def _tickers(keys: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(ticker for key in keys for ticker in get_universe(key).tickers))
