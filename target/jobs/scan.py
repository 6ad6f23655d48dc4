"""Scans as jobs: from a request to the row of what was found."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from target.database.jobs import Scan
from target.jobs.context import WorkerContext
from target.jobs.job import Job
from target.jobs.requests import ScanRequest
from target.quant.prices import PriceTable
from target.quant.scan import Finding, ScanData, ScanLimits, scan_flags
from target.repositories.daily_bars import DailyRange, list_daily_ranges

_HISTORY = timedelta(days=180)
"""Holds the 64 trading days that a scan needs, with room for holidays and days without trade."""

_FILTERS = ("min_price", "max_price", "min_volume")


async def run_scan(job: Job, context: WorkerContext) -> Scan:
    """Scan cached prices up to today and return the row to store; whatever the scanner's type, flags are looked for.

    Raises:
        DependencyUnavailable: prices cannot be had now.
    """
    request = ScanRequest(**job.payload)
    limits = ScanLimits(min_price=request.min_price, max_price=request.max_price, min_volume=request.min_volume)
    data = await _load(list(dict.fromkeys(request.tickers)), context)
    findings = await asyncio.to_thread(scan_flags, data, limits)  # a local server answers meanwhile
    return Scan(
        job_id=job.id,
        generated_at=context.now(),
        scanner_type=request.scanner_type,
        universe=request.universe,
        tickers_scanned=len(request.tickers),
        filters={name: job.payload[name] for name in _FILTERS},
        stocks=[_stock_of(finding) for finding in findings],
    )


async def _load(tickers: Sequence[str], context: WorkerContext) -> ScanData:
    today = context.now().date()
    closes = await context.prices.load_closes(tickers, today - _HISTORY, today)
    async with context.database.session() as session:
        ranges = await list_daily_ranges(session, closes.tickers, today - _HISTORY)
    return ScanData(
        closes=closes,
        highs=_table(ranges, lambda day: day.high),
        lows=_table(ranges, lambda day: day.low),
        volumes=_table(ranges, lambda day: float(day.volume)),
    )


def _table(ranges: Sequence[DailyRange], value_of: Callable[[DailyRange], float]) -> PriceTable:
    series: dict[str, dict[date, float]] = {}
    for day in ranges:
        series.setdefault(day.ticker, {})[day.date] = value_of(day)
    return PriceTable.from_series(series)


def _stock_of(finding: Finding) -> dict[str, Any]:
    """Return the finding as the contract shows it; nothing knows company names, so the name is the ticker."""
    return {
        "ticker": finding.ticker,
        "name": finding.ticker,
        "price": finding.price,
        "change_pct": finding.change_pct,
        "volume": finding.volume,
        "signal": finding.signal.value,
        "score": finding.score,
        "details": {"adr_pct": finding.adr_pct, "rs_rank": finding.rs_rank, "pattern": finding.pattern.value},
    }
