"""Backtests as jobs: from a request to the row of its outcome."""

import asyncio
import time
from dataclasses import asdict
from datetime import date, timedelta

from target.catalogue.strategies import PIPELINE_TICKERS
from target.database.jobs import Backtest
from target.jobs.context import WorkerContext
from target.jobs.job import Job
from target.jobs.requests import BacktestRequest
from target.quant.backtest import BacktestOutcome, BacktestPlan
from target.quant.backtest import run_backtest as compute
from target.quant.prices import PriceTable
from target.quant.returns import NoPrices
from target.quant.strategies import reference_tickers
from target.representable import representable

_CONFIG = ("start_date", "end_date", "initial_capital", "optimization_method")


async def run_backtest(job: Job, context: WorkerContext) -> Backtest:
    """Load the prices, compute, and return the row to store.

    Raises:
        ValueError: it cannot be computed; the text says why.
        DependencyUnavailable: prices cannot be had now.
    """
    started_at = time.perf_counter()
    request = BacktestRequest(**job.payload)
    prices, references = await _load(request, context)
    plan = BacktestPlan(
        strategy_name=request.strategy_name,
        optimization_method=request.optimization_method,
        initial_capital=request.initial_capital,
        allocation_mode=context.allocation_mode,
    )
    outcome = await asyncio.to_thread(compute, plan, prices, references)  # a local server answers meanwhile
    return Backtest(
        job_id=job.id,
        backtest_id=request.backtest_id,
        strategy_name=request.strategy_name,
        completed_at=context.now(),
        config={name: job.payload[name] for name in _CONFIG},
        execution_time_s=time.perf_counter() - started_at,
        **_columns_of(outcome),
    )


def _columns_of(outcome: BacktestOutcome) -> dict[str, object]:
    return {
        "metrics": outcome.metrics,
        "final_value": representable(outcome.final_value),
        "weights": outcome.weights,
        "evidence": representable(asdict(outcome.evidence)),
    }


async def _load(request: BacktestRequest, context: WorkerContext) -> tuple[PriceTable, PriceTable]:
    """Return the prices of what can be held, and of what the strategy compares it with."""
    start, end = _period(request, context.now().date())
    tickers = list(dict.fromkeys(request.tickers or PIPELINE_TICKERS))
    references = reference_tickers(request.strategy_name)
    table = await context.prices.load_closes([*dict.fromkeys([*tickers, *references])], start, end)
    return table.select(tickers), table.select(references)


def _period(request: BacktestRequest, today: date) -> tuple[date, date]:
    """Return the first and last day. LEGACY-PARITY: section 4.5, the end of a request, or today, is not in it.

    Raises:
        NoPrices: LEGACY-PARITY: section 4.5, a date that cannot be read fetches nothing.
    """
    try:
        start = date.fromisoformat(request.start_date[:10])
        end = date.fromisoformat(request.end_date[:10]) if request.end_date else today
    except ValueError:
        raise NoPrices from None
    if start >= end:
        raise NoPrices
    return start, end - timedelta(days=1)
