"""Rankings of universes from cached prices."""

from dataclasses import dataclass

from target.catalogue.universes import Universe
from target.quant.prices import PriceTable
from target.quant.residual_momentum import FACTOR_TICKERS, ResidualScore, score_residuals
from target.schemas.quant2 import StockRanking
from target.services.metrics import sum_in_order

_SORT_KEYS = frozenset({"score", "ticker", "r_squared", "beta_mkt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingFilter:
    """Which stocks are wanted, bounds included, and in which order; an unknown key means the score."""

    sort_by: str
    descending: bool
    min_score: float | None = None
    max_score: float | None = None


def rank_universe(universe: Universe, prices: PriceTable) -> list[StockRanking]:
    """Return the universe's stocks by residual momentum, best first.

    `prices` is everything that is cached; a stock without enough of them has no rank, and none has one as long as the
    funds that stand for the factors are not cached. A ticker that the universe names twice is ranked once.
    """
    scores = score_residuals(prices.select(universe.tickers), prices.select(FACTOR_TICKERS))
    return [_ranking(rank, score) for rank, score in enumerate(scores, start=1)]


def arrange(ranked: list[StockRanking], wanted: RankingFilter) -> list[StockRanking]:
    """Return the stocks that pass the filter in its order, numbered from 1 again; equal keys keep their order."""
    key = wanted.sort_by if wanted.sort_by in _SORT_KEYS else "score"
    kept = [stock for stock in ranked if _is_within(stock.score, wanted)]
    kept.sort(key=lambda stock: getattr(stock, key), reverse=wanted.descending)
    return [stock.model_copy(update={"rank": rank}) for rank, stock in enumerate(kept, start=1)]


def average_r_squared(ranked: list[StockRanking]) -> float:
    """Return the mean of what the factors explain, with two decimals; 0 of no stock."""
    explained = [stock.r_squared for stock in ranked if stock.r_squared is not None]
    return round(sum_in_order(explained) / len(explained), 2) if explained else 0.0


def _ranking(rank: int, score: ResidualScore) -> StockRanking:
    return StockRanking(
        rank=rank,
        ticker=score.ticker,
        score=round(score.score, 2),
        r_squared=round(score.r_squared, 2),
        beta_mkt=round(score.beta_market, 2),
        beta_smb=round(score.beta_size, 2),
        beta_hml=round(score.beta_value, 2),
        residual_vol=round(score.residual_volatility * 100, 1),
    )


def _is_within(score: float, wanted: RankingFilter) -> bool:
    is_high_enough = wanted.min_score is None or score >= wanted.min_score
    return is_high_enough and (wanted.max_score is None or score <= wanted.max_score)
