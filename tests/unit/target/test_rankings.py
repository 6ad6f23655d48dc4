"""Rankings of universes as they are answered."""

import pytest

from target.catalogue.universes import Universe
from target.quant.prices import PriceTable
from target.quant.residual_momentum import FACTOR_TICKERS, score_residuals
from target.schemas.quant2 import StockRanking
from target.services.rankings import RankingFilter, arrange, average_r_squared, rank_universe
from tests.builders.price_tables import random_walk

UNIVERSE = Universe(
    key="U", name="U", description="", region="US", asset_class="equity", tickers=("C", "A", "B", "A", "UNKNOWN")
)


def cached() -> PriceTable:
    return random_walk(900, ["A", "B", "C", *FACTOR_TICKERS], seed=11)


def stock(ticker: str, score: float, **figures: float) -> StockRanking:
    known = {"rank": 0, "r_squared": 0.5, "beta_mkt": 1.0, "beta_smb": 0.0, "beta_hml": 0.0, "residual_vol": 20.0}
    return StockRanking.model_validate({**known, "ticker": ticker, "score": score, **figures})


def test_a_universe_is_ranked_with_each_stock_once():
    ranked = rank_universe(UNIVERSE, cached())
    assert [stock.rank for stock in ranked] == [1, 2, 3]
    assert sorted(stock.ticker for stock in ranked) == ["A", "B", "C"]
    assert [stock.score for stock in ranked] == sorted((stock.score for stock in ranked), reverse=True)
    assert ranked == rank_universe(UNIVERSE, cached())


def test_figures_are_rounded_for_reading():
    table = cached()
    (exact, *_) = score_residuals(table.select(UNIVERSE.tickers), table)
    shown = rank_universe(UNIVERSE, table)[0]
    assert (shown.ticker, shown.score) == (exact.ticker, round(exact.score, 2))
    assert shown.residual_vol == round(exact.residual_volatility * 100, 1)
    assert (shown.beta_mkt, shown.beta_smb, shown.beta_hml, shown.r_squared) == tuple(
        round(figure, 2) for figure in (exact.beta_market, exact.beta_size, exact.beta_value, exact.r_squared)
    )


@pytest.mark.parametrize(
    "cache", [PriceTable.empty(), cached().select(["A", "B", "C"]), cached().select(FACTOR_TICKERS)]
)
def test_without_prices_nothing_is_ranked(cache: PriceTable):
    assert rank_universe(UNIVERSE, cache) == []
    assert average_r_squared([]) == 0.0


STOCKS = [stock("B", 2.0, r_squared=0.3), stock("A", 1.0, r_squared=0.9, beta_mkt=0.2), stock("C", -1.0, beta_mkt=3.0)]


@pytest.mark.parametrize(
    ("sort_by", "descending", "order"),
    [
        ("score", True, "BAC"),
        ("score", False, "CAB"),
        ("ticker", False, "ABC"),
        ("r_squared", True, "ACB"),
        ("beta_mkt", True, "CBA"),
        ("beta_smb", True, "BAC"),
        ("__class__", False, "CAB"),
    ],
)
def test_a_ranking_is_sorted_and_numbered_again(sort_by: str, descending: bool, order: str):
    arranged = arrange(STOCKS, RankingFilter(sort_by=sort_by, descending=descending))
    assert "".join(stock.ticker for stock in arranged) == order
    assert [stock.rank for stock in arranged] == [1, 2, 3]


@pytest.mark.parametrize(("least", "most", "kept"), [(1.0, None, "BA"), (None, 1.0, "AC"), (1.0, 1.0, "A"), (5, 1, "")])
def test_the_bounds_of_a_filter_belong_to_it(least: float | None, most: float | None, kept: str):
    wanted = RankingFilter(sort_by="score", descending=True, min_score=least, max_score=most)
    assert "".join(stock.ticker for stock in arrange(STOCKS, wanted)) == kept


def test_the_average_is_over_all_stocks():
    assert average_r_squared(STOCKS) == 0.57
