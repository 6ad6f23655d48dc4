"""/api/scanner: scans of cached prices and what they found.

The order of the routes is part of the contract: `Allow` names the verbs of the first route that matches a path.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import TypeAdapter

from target.auth import require_token
from target.catalogue.scanners import scanner_catalogue, tickers_of
from target.clock import utc_now
from target.database.jobs import Scan
from target.database.session import Snapshot
from target.jobs.job import JobKind
from target.jobs.requests import ScanRequest
from target.jobs.submission import JobSubmission
from target.repositories.jobs import JobRepository
from target.repositories.results import ScanRepository
from target.routers.answers import may_answer
from target.routers.second_stage import hold_to
from target.schemas.fields import Finite
from target.schemas.scanner import (
    AppliedFilters,
    CompleteScan,
    NoFlags,
    NoResults,
    ScanFilters,
    ScannedStock,
    ScannerInfo,
    ScannerOverview,
    ScanOrder,
    ScanResults,
    ScanStarted,
    ScanStatus,
)
from target.services.job_status import status_text

router = APIRouter(prefix="/api/scanner", tags=["scanner"], responses=may_answer(503))

_IDLE = "idle"
_ORDER = TypeAdapter(ScanOrder)
_SCORE: TypeAdapter[float | None] = TypeAdapter(Finite | None)


@router.get("/")
async def get_scanners(session: Snapshot) -> ScannerOverview:
    """What can be scanned, and how the latest scan went."""
    catalogue = scanner_catalogue()
    scan = await ScanRepository(session).find_latest()
    return ScannerOverview(
        scanners=[ScannerInfo.model_validate(entry) for entry in catalogue.scanners],
        universes=list(catalogue.universes),
        last_scan=scan.generated_at if scan else None,
        status=await _status(session),
    )


@router.post("/run", dependencies=[Depends(require_token)], responses=may_answer(400, 401))
async def start_scan(order: ScanOrder, request: Request) -> ScanStarted:
    """Start a scan; its status and results are those of the latest scan."""
    order = hold_to(_ORDER, await request.json(), "body")
    jobs: JobSubmission = request.app.state.jobs
    await jobs.submit(
        ScanRequest(
            scanner_type=order.scanner_type,
            universe=order.universe,
            min_price=order.min_price,
            max_price=order.max_price,
            min_volume=order.min_volume,
            tickers=order.custom_tickers or tickers_of(order.universe),
        ).to_job()
    )
    return ScanStarted(
        scanner_type=order.scanner_type,
        universe=order.universe,
        message=f"Scan with {order.scanner_type} started",
        timestamp=utc_now(),
    )


@router.get("/status")
async def get_status(session: Snapshot) -> ScanStatus:
    """How the latest scan went."""
    scan = await ScanRepository(session).find_latest()
    return ScanStatus(
        status=await _status(session),
        has_results=scan is not None,
        last_scan=scan.generated_at if scan else None,
        results_count=len(scan.stocks) if scan else 0,
    )


@router.get("/results")
async def get_results(
    *,
    request: Request,
    session: Snapshot,
    scanner_type: str | None = None,
    signal: str | None = None,
    min_score: Finite | None = None,
    limit: Annotated[int, Query(description="How many stocks at most; a negative number limits nothing.")] = 50,
) -> ScanResults | NoResults:
    """The latest scan, of this type where one is named, filtered (Q16: every filter counts, zero included)."""
    scan = await ScanRepository(session).find_latest(scanner_type or None)
    if scan is None:
        return NoResults()
    hold_to(_SCORE, request.query_params.get("min_score"), "query", "min_score")
    stocks = [ScannedStock.model_validate(stock) for stock in scan.stocks]
    if signal:
        stocks = [stock for stock in stocks if stock.signal == signal.upper()]
    if min_score is not None:
        stocks = [stock for stock in stocks if stock.score >= min_score]
    return ScanResults(
        results=stocks if limit < 0 else stocks[:limit],
        total_found=len(stocks),
        generated_at=scan.generated_at,
        scanner_type=scan.scanner_type,
        filters_applied=AppliedFilters(signal=signal, min_score=min_score, limit=limit),
    )


@router.get("/quallamaggie")
async def get_quallamaggie(session: Snapshot) -> CompleteScan | NoFlags:
    """The latest scan as a whole, whatever its type."""
    scan = await ScanRepository(session).find_latest()
    return NoFlags(criteria=dict(scanner_catalogue().criteria)) if scan is None else _complete(scan)


async def _status(session: Snapshot) -> str:
    job = await JobRepository(session).find_latest(JobKind.SCAN)
    return _IDLE if job is None else status_text(job, utc_now())


def _complete(scan: Scan) -> CompleteScan:
    return CompleteScan(
        generated_at=scan.generated_at,
        scanner_type=scan.scanner_type,
        universe=scan.universe,
        tickers_scanned=scan.tickers_scanned,
        results_found=len(scan.stocks),
        filters=ScanFilters(**scan.filters),
        stocks=[ScannedStock.model_validate(stock) for stock in scan.stocks],
        retrieved_at=utc_now(),
    )
