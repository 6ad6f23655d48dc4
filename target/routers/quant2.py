"""/api/quant2: rankings by residual momentum, from cached prices alone (Q15); nothing is fetched on the way."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import TypeAdapter

from target.catalogue.universes import Universe, UnknownUniverse, get_universe, list_universes, universe_keys
from target.clock import utc_now
from target.errors import UniverseRefused
from target.quant.residual_momentum import LOOKBACK_MONTHS, SCORING_MONTHS
from target.routers.answers import may_answer
from target.routers.second_stage import hold_to
from target.schemas.fields import Finite
from target.schemas.quant2 import FullRanking, Ranking, StockRanking, UniverseCheck, UniversesSummary, UniverseSummary
from target.services.rankings import RankingFilter, arrange, average_r_squared, rank_universe
from target.storage.counters import CacheCounters
from target.storage.price_field import PriceField
from target.storage.price_reader import PriceReader

router = APIRouter(prefix="/api/quant2", tags=["quant2"], responses=may_answer(503))

_CHECKED, _SAMPLED = 10, 5

_BOUND: TypeAdapter[float | None] = TypeAdapter(Finite | None)


async def _price_reader(request: Request) -> PriceReader:
    state = request.app.state
    if not hasattr(state, "price_reader"):  # one a process: it keeps what it read
        state.price_reader = PriceReader(state.objects, CacheCounters())
    reader: PriceReader = state.price_reader
    return reader


CachedPrices = Annotated[PriceReader, Depends(_price_reader)]


@router.get("/residual-momentum", responses=may_answer(400))
async def get_ranking(
    prices: CachedPrices,
    universe: str = "SPX500",
    top_n: Annotated[int, Query(ge=5, le=100)] = 20,
    include_bottom: bool = False,
) -> Ranking:
    """The best of a universe, and the last where asked for; both may hold the same stocks of a small one."""
    known = _existing(universe)
    ranked = await _rank(known, prices)
    return Ranking(
        universe=known.key,
        universe_name=known.name,
        generated_at=utc_now().isoformat(),
        lookback_months=LOOKBACK_MONTHS,
        scoring_months=SCORING_MONTHS,
        stocks_ranked=len(ranked),
        top_score=ranked[0].score if ranked else 0.0,
        avg_r_squared=average_r_squared(ranked),
        rankings=ranked[:top_n],
        bottom_rankings=ranked[-top_n:] if include_bottom else None,
    )


@router.get("/residual-momentum/all", responses=may_answer(400))
async def get_full_ranking(
    *,
    request: Request,
    prices: CachedPrices,
    universe: str = "SPX500",
    sort_by: str = "score",
    sort_order: str = "desc",
    min_score: Finite | None = None,
    max_score: Finite | None = None,
) -> FullRanking:
    """All of a universe, filtered and sorted; any order but "desc" is ascending."""
    known = _existing(universe)
    for bound in ("min_score", "max_score"):
        hold_to(_BOUND, request.query_params.get(bound), "query", bound)
    ranked = await _rank(known, prices)
    wanted = RankingFilter(sort_by=sort_by, descending=sort_order == "desc", min_score=min_score, max_score=max_score)
    kept = arrange(ranked, wanted)
    return FullRanking(
        universe=known.key,
        universe_name=known.name,
        generated_at=utc_now().isoformat(),
        total_stocks=len(ranked),
        filtered_stocks=len(kept),
        sort_by=sort_by,
        sort_order=sort_order,
        min_score=min_score,
        max_score=max_score,
        stocks=kept,
    )


@router.get("/validate-universe")
async def check_universe(universe: str) -> UniverseCheck:
    """Whether a universe is known; LEGACY-PARITY: section 4.8, 200 either way."""
    try:
        tickers, status = get_universe(universe).tickers, "OK"
    except UnknownUniverse as error:
        tickers, status = (), f"Error: {error}"
    return UniverseCheck(
        universe=universe,
        valid=status == "OK",
        ticker_count=len(tickers),
        sample_tickers=list(tickers[:_CHECKED]),
        api_status=status,
    )


@router.get("/universes-summary")
async def summarise_universes() -> UniversesSummary:
    """All universes with a sample of each."""
    summaries = [
        UniverseSummary(
            key=universe.key,
            name=universe.name,
            region=universe.region,
            ticker_count=len(universe.tickers),
            sample=list(universe.tickers[:_SAMPLED]),
            status="available",
        )
        for universe in list_universes()
    ]
    return UniversesSummary(generated_at=utc_now().isoformat(), total_universes=len(summaries), universes=summaries)


async def _rank(universe: Universe, prices: PriceReader) -> list[StockRanking]:
    snapshot = await prices.read([PriceField.CLOSE])
    return rank_universe(universe, snapshot.tables[PriceField.CLOSE])


def _existing(key: str) -> Universe:
    try:
        return get_universe(key)
    except UnknownUniverse as error:
        raise UniverseRefused(f"Invalid universe '{key}'. Available: {universe_keys()}") from error
