"""/api/dashboard: views over the latest backtest of each strategy, and the age of the stored prices.

LEGACY-PARITY: Q19, quant1, quant2 and olmar show figures only of files that no deployment has; they stay without.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Depends

from target.auth import require_token
from target.catalogue.universes import Universe, UnknownUniverse, get_universe
from target.clock import utc_now
from target.database.jobs import Backtest
from target.database.session import Snapshot
from target.repositories.daily_bars import list_latest_days
from target.repositories.results import BacktestRepository
from target.routers.answers import may_answer
from target.schemas.dashboard import (
    BacktestTable,
    CombinedAllocation,
    Comparison,
    NoComparison,
    Overview,
    Summary,
)
from target.schemas.freshness import PricesStatus
from target.schemas.generations import (
    Olmar,
    Quant1,
    Quant2,
    Regime,
    RegimeOdds,
    Unfilled,
    UniverseInfo,
    UniverseRefusal,
)
from target.services.dashboard import by_final_value, combine_weights, comparison_row, find_best, overview_row
from target.services.displayed_metrics import METRIC_NAMES
from target.services.freshness import groups, prices_status

router = APIRouter(prefix="/api/dashboard", tags=["dashboard"], responses=may_answer(503))

_QUANT1 = ("Momentum", "Dual_Momentum", "HRP", "InverseVolatility")
_QUANT2 = ("Regime_Detection", "Stat_Arb", "Residual_Momentum", "Meta_Labeling", "Short_Vol", "NCO")
_with_token = [Depends(require_token)]


async def _latest(session: Snapshot) -> Sequence[Backtest]:
    return await BacktestRepository(session).list_latest()


@router.get("/", dependencies=_with_token, responses=may_answer(401))
async def get_overview(session: Snapshot) -> Overview:
    """All strategies with a backtest."""
    backtests, now = await _latest(session), utc_now()
    best = find_best(backtests)
    return Overview(
        generated_at=now,
        summary=Summary(
            total_strategies=len(backtests),
            strategies_with_results=len(backtests),
            best_performer=best.name,
            best_cagr=best.cagr,
        ),
        strategies=[overview_row(backtest) for backtest in backtests],
        last_update=now,
    )


@router.get("/quant1")
async def get_quant1() -> Quant1:
    """The first generation of strategies."""
    return Quant1(generated_at=utc_now(), strategies={name: Unfilled() for name in _QUANT1})


@router.get("/quant2")
async def get_quant2(universe: str = "SPX500") -> Quant2 | UniverseRefusal:
    """The second generation; an unknown universe is told with status 200."""
    try:
        found = get_universe(universe)
    except UnknownUniverse as error:
        return UniverseRefusal(error=str(error), generated_at=utc_now())
    return Quant2(
        generated_at=utc_now(),
        universe=_universe_info(found),
        universe_key=found.key,
        ticker_count=len(found.tickers),
        regime=Regime(
            current="UNKNOWN",
            probabilities=RegimeOdds(bull=0.33, bear=0.33, sideways=0.34),
            message="No regime model has been run.",
        ),
        strategies={name: Unfilled() for name in _QUANT2},
    )


@router.get("/olmar")
async def get_olmar() -> Olmar:
    """The mean-reversion strategy."""
    return Olmar(generated_at=utc_now())


@router.get("/backtest")
async def get_backtest_table(session: Snapshot) -> BacktestTable:
    """All strategies with a backtest in a table."""
    rows = [comparison_row(backtest) for backtest in await _latest(session)]
    return BacktestTable(generated_at=utc_now(), comparison_table=rows, total_strategies=len(rows))


@router.get("/comparison", dependencies=_with_token, responses=may_answer(401))
async def get_comparison(session: Snapshot) -> Comparison | NoComparison:
    """All strategies with a backtest, by final value."""
    rows = [comparison_row(backtest) for backtest in by_final_value(await _latest(session))]
    if not rows:
        return NoComparison(generated_at=utc_now())
    return Comparison(comparison=rows, metrics=list(METRIC_NAMES), strategies_count=len(rows), generated_at=utc_now())


@router.get("/allocation")
async def get_allocation(session: Snapshot) -> CombinedAllocation:
    """What all strategies together would hold."""
    allocation = combine_weights(await _latest(session))
    return CombinedAllocation(
        generated_at=utc_now(),
        combined_allocation=dict(allocation.combined),
        by_strategy={name: dict(weights) for name, weights in allocation.by_strategy.items()},
        total_positions=len(allocation.combined),
        strategies_used=len(allocation.by_strategy),
    )


@router.get("/data-status")
async def get_data_status(session: Snapshot) -> PricesStatus:
    """How old the stored prices are."""
    tickers = {ticker for group in groups() for ticker in group.tickers}
    return prices_status(await list_latest_days(session, tickers), utc_now())


def _universe_info(universe: Universe) -> UniverseInfo:
    return UniverseInfo(
        name=universe.name,
        description=universe.description,
        region=universe.region,
        asset_class=universe.asset_class,
        ticker_count=len(universe.tickers),
        key=universe.key,
    )
