"""Residual momentum: planted factors are found again, and the right months count."""

import numpy as np
import pytest
from scipy import linalg

from target.quant.prices import PriceTable
from target.quant.residual_momentum import FACTOR_TICKERS, monthly_returns, score_residuals

MONTHS = 37
RISK_FREE = 0.04 / 12


def month_ends(count: int) -> np.ndarray:
    return np.datetime64("2021-01", "M") + np.arange(count)


def table_of(returns: np.ndarray, tickers: tuple[str, ...]) -> PriceTable:
    """Prices on the 28th of each month, from monthly returns (months, m)."""
    values = 100 * np.cumprod(np.vstack([np.ones(len(tickers)), 1 + returns]), axis=0)
    days = month_ends(len(values)).astype("datetime64[D]") + 27
    return PriceTable(days, tickers, values)


def planted(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Monthly returns of the funds, the factors that they make, and noise."""
    random = np.random.default_rng(seed)
    funds = random.normal(0.008, 0.04, (MONTHS - 1, 4))
    factors = np.column_stack([funds[:, 0] - RISK_FREE, funds[:, 1] - funds[:, 0], funds[:, 2] - funds[:, 3]])
    return funds, factors, random.normal(0, 0.02, MONTHS - 1)


def test_planted_betas_are_found():
    funds, factors, noise = planted()
    stock = RISK_FREE + 0.001 + factors @ [1.2, -0.4, 0.7] + noise * 1e-4
    (score,) = score_residuals(table_of(stock[:, None], ("X",)), table_of(funds, FACTOR_TICKERS))
    assert (score.beta_market, score.beta_size, score.beta_value) == pytest.approx((1.2, -0.4, 0.7), abs=1e-3)
    assert score.r_squared > 0.9999


def test_the_score_is_that_of_a_second_regression():
    funds, factors, noise = planted(2)
    stock = RISK_FREE + factors @ [0.9, 0.3, -0.2] + noise
    (score,) = score_residuals(table_of(stock[:, None], ("X",)), table_of(funds, FACTOR_TICKERS))
    design = np.column_stack([np.ones(MONTHS - 1), factors])
    residuals = (stock - RISK_FREE) - design @ linalg.lstsq(design, stock - RISK_FREE)[0]
    assert score.score == pytest.approx(residuals[-13:-1].sum() / residuals.std(ddof=1))
    assert score.residual_volatility == pytest.approx(residuals.std(ddof=1) * np.sqrt(12))
    assert score.r_squared == pytest.approx(1 - residuals.var() / (stock - RISK_FREE).var())


def test_the_latest_month_is_not_scored():
    funds, factors, noise = planted(3)
    noise[:-1] = np.tile([0.01, -0.01], 18)[: MONTHS - 2]
    calm = RISK_FREE + factors[:, 0] + noise
    jump = calm.copy()
    jump[-1] += 0.5
    scores = {
        score.ticker: score.score
        for score in score_residuals(
            table_of(np.column_stack([calm, jump]), ("CALM", "JUMP")), table_of(funds, FACTOR_TICKERS)
        )
    }
    assert scores["JUMP"] <= scores["CALM"]


def test_the_best_comes_first():
    funds, factors, noise = planted(4)
    months = np.arange(MONTHS - 1)
    lift = np.where((months >= MONTHS - 14) & (months < MONTHS - 2), 0.02, -0.01)
    stocks = RISK_FREE + np.column_stack([factors[:, 0] + noise - lift, factors[:, 0] + noise + lift])
    scores = score_residuals(table_of(stocks, ("DOWN", "UP")), table_of(funds, FACTOR_TICKERS))
    assert [score.ticker for score in scores] == ["UP", "DOWN"]
    assert scores[0].score > 0 > scores[1].score


def test_only_the_last_thirty_six_months_count():
    funds, factors, noise = planted(5)
    stock = RISK_FREE + factors[:, 0] + noise
    longer = np.vstack([np.full((20, 4), 0.01), funds])
    older = np.concatenate([np.full(20, 0.3), stock])
    (short,) = score_residuals(table_of(stock[:, None], ("X",)), table_of(funds, FACTOR_TICKERS))
    (long,) = score_residuals(table_of(older[:, None], ("X",)), table_of(longer, FACTOR_TICKERS))
    assert long.score == pytest.approx(short.score)


@pytest.mark.parametrize(
    ("missing", "is_ranked"),
    [(slice(0, 13), False), (slice(0, 12), True), (slice(-5, -4), False), (slice(-1, None), True)],
)
def test_a_stock_needs_two_years_and_every_scored_month(missing: slice, is_ranked: bool):
    funds, factors, noise = planted(6)
    table = table_of((RISK_FREE + factors[:, 0] + noise)[:, None], ("X",))
    values = table.values.copy()
    values[missing] = np.nan
    stock = PriceTable(table.dates, ("X",), values)
    assert bool(score_residuals(stock, table_of(funds, FACTOR_TICKERS))) is is_ranked


def test_a_fund_that_is_a_factor_has_no_residuals_to_rank():
    funds, _, _ = planted(7)
    table = table_of(funds, FACTOR_TICKERS)
    assert score_residuals(table.select(["SPY", "IWM"]), table) == []


def test_without_one_of_the_funds_nothing_is_ranked():
    funds, factors, noise = planted(8)
    stock = table_of((RISK_FREE + factors[:, 0] + noise)[:, None], ("X",))
    table = table_of(funds, FACTOR_TICKERS)
    assert score_residuals(stock, table.select(["SPY", "IWM", "VTV"])) == []
    unknown = np.where(np.arange(4) == 3, np.nan, table.values)
    assert score_residuals(stock, PriceTable(table.dates, FACTOR_TICKERS, unknown)) == []
    assert score_residuals(PriceTable.empty(["X"]), table) == []


def test_a_month_closes_with_its_last_known_price():
    days = np.array(["2024-01-30", "2024-01-31", "2024-02-15", "2024-03-01"], dtype="datetime64[D]")
    table = PriceTable(days, ("A", "B"), np.array([[1.0, 2.0], [2.0, np.nan], [3.0, 4.0], [np.nan, 6.0]]))
    months = np.unique(days.astype("datetime64[M]"))
    np.testing.assert_allclose(monthly_returns(table, months), [[0.5, 1.0], [np.nan, 0.5]])
