"""/api/strategies: the catalogue, backtests and what they came to.

The order of the routes is part of the contract: `Allow` names the verbs of the first route that matches a path.
"""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Depends, Request
from pydantic import TypeAdapter

from target.auth import guard_write
from target.catalogue.strategies import CatalogueEntry, UnknownStrategyName, get_strategy, list_strategies
from target.clock import utc_now
from target.database.jobs import Backtest
from target.database.session import Snapshot
from target.errors import ResultsNotFound, StrategyNotFound
from target.jobs.job import JobKind
from target.jobs.requests import BacktestRequest
from target.jobs.submission import JobSubmission
from target.repositories.jobs import JobRepository
from target.routers.answers import may_answer
from target.routers.second_stage import hold_to
from target.schemas.strategies import (
    BacktestOrder,
    BacktestResults,
    BacktestStarted,
    BacktestStatus,
    ComparedStrategy,
    FailedResults,
    Results,
    StrategyComparison,
    StrategyDetail,
    StrategyEntry,
)
from target.services.dashboard import final_value_of
from target.services.displayed_metrics import displayed_metrics
from target.services.job_status import status_text
from target.services.results import LatestRun, find_latest_run, list_comparable

router = APIRouter(prefix="/api/strategies", tags=["strategies"], responses=may_answer(503))

_NOT_STARTED = "not_started"
_ORDER = TypeAdapter(BacktestOrder)
_COMPARED = ("total_return", "cagr", "sharpe_ratio", "max_drawdown", "win_rate")


@router.get("/")
async def get_strategies() -> list[StrategyEntry]:
    """The catalogue."""
    return [StrategyEntry.model_validate(entry) for entry in list_strategies()]


@router.get("/{strategy_name}", responses=may_answer(404))
async def get_one_strategy(strategy_name: str, session: Snapshot) -> StrategyDetail:
    """One strategy with what its latest run came to."""
    entry = _existing(strategy_name)
    run = await find_latest_run(session, strategy_name)
    return StrategyDetail(**asdict(entry), last_results=_answer(run), has_results=run is not None)


@router.post("/run", dependencies=[Depends(guard_write)], responses=may_answer(400, 401, 404))
async def start_backtest(order: BacktestOrder, request: Request) -> BacktestStarted:
    """Start a backtest; its status and results are read under the strategy's name."""
    name = _existing(order.strategy_name).name
    order = hold_to(_ORDER, await request.json(), "body")
    now = utc_now()
    backtest_id = f"{name}_{now:%Y%m%d_%H%M%S}"
    jobs: JobSubmission = request.app.state.jobs
    await jobs.submit(
        BacktestRequest(
            backtest_id=backtest_id,
            strategy_name=name,
            start_date=order.start_date,
            end_date=order.end_date,
            initial_capital=order.initial_capital,
            tickers=order.tickers,
            optimization_method=order.optimization_method,
        ).to_job()
    )
    return BacktestStarted(
        backtest_id=backtest_id, strategy_name=name, message=f"Backtest of {name} started", timestamp=now
    )


@router.get("/{strategy_name}/status", responses=may_answer(404))
async def get_status(strategy_name: str, session: Snapshot) -> BacktestStatus:
    """How the latest run stands; a name that the catalogue does not have was never started."""
    now = utc_now()
    return BacktestStatus(
        strategy_name=strategy_name,
        status=await _status(strategy_name, session, now),
        has_results=await _find_run(strategy_name, session) is not None,
        timestamp=now,
    )


@router.get("/{strategy_name}/results", responses=may_answer(404))
async def get_results(strategy_name: str, session: Snapshot) -> Results:
    """What the latest run came to; of a failed one the error alone, with status 200."""
    results = _answer(await _find_run(strategy_name, session))
    if results is None:
        raise ResultsNotFound(strategy_name)
    return results


@router.get("/compare/all")
async def compare_strategies(session: Snapshot) -> StrategyComparison:
    """All strategies whose latest run was completed."""
    backtests = await list_comparable(session)
    rows = [_compared(entry, backtests[entry.name]) for entry in list_strategies() if entry.name in backtests]
    return StrategyComparison(comparison=rows, generated_at=utc_now(), strategies_compared=len(rows))


def _existing(name: str) -> CatalogueEntry:
    try:
        return get_strategy(name)
    except UnknownStrategyName as error:
        raise StrategyNotFound(str(error)) from error


def _is_offered(name: str) -> bool:
    return any(entry.name == name for entry in list_strategies())


async def _find_run(name: str, session: Snapshot) -> LatestRun | None:
    return await find_latest_run(session, name) if _is_offered(name) else None


async def _status(name: str, session: Snapshot, now: datetime) -> str:
    job = await JobRepository(session).find_latest(JobKind.BACKTEST, name) if _is_offered(name) else None
    return _NOT_STARTED if job is None else status_text(job, now)


def _answer(run: LatestRun | None) -> Results | None:
    if run is None:
        return None
    return BacktestResults.model_validate(run) if isinstance(run, Backtest) else FailedResults(error=run.error)


def _compared(entry: CatalogueEntry, backtest: Backtest) -> ComparedStrategy:
    metrics = displayed_metrics(backtest.metrics)
    return ComparedStrategy(
        strategy=entry.name,
        category=entry.category,
        final_value=final_value_of(backtest),
        **{name: metrics[name] for name in _COMPARED},
    )
