"""Residual momentum: how far a stock's recent months exceed what three factors explain.

Source: D. Blitz, J. Huij and M. Martens, "Residual momentum" (2011), in the form of contract section 4.8. The factors
are those of Fama and French (1993), stood in for by the returns of listed funds: see docs/formulas.md.
"""

from dataclasses import dataclass

import numpy as np

from target.quant.prices import Floats, PriceTable
from target.quant.returns import RISK_FREE

LOOKBACK_MONTHS = 36
SCORING_MONTHS = 12
FEWEST_MONTHS = 24

MARKET, SMALL_CAPS, VALUE, GROWTH = "SPY", "IWM", "VTV", "VUG"
FACTOR_TICKERS = (MARKET, SMALL_CAPS, VALUE, GROWTH)

_MONTHS = 12
_MONTHLY_RISK_FREE = RISK_FREE / _MONTHS
_LEAST_DEVIATION = 1e-9
"""Below it, what is left of a monthly return is rounding: the factors explain the ticker, which is one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualScore:
    """One ticker's regression; `residual_volatility` is annual, as a ratio."""

    ticker: str
    score: float
    r_squared: float
    beta_market: float
    beta_size: float
    beta_value: float
    residual_volatility: float


def score_residuals(prices: PriceTable, factor_prices: PriceTable) -> list[ResidualScore]:
    """Return the scored tickers, best first; among equals, in the order of the columns.

    Both tables are brought to the months of `prices`. A ticker without a return in 24 of the last 36 months, or in one
    of the twelve that are scored, is left out; so is one that the factors explain wholly, and everything if a fund that
    stands for a factor has no column.
    """
    if not set(FACTOR_TICKERS) <= set(factor_prices.tickers):
        return []
    months = np.unique(prices.dates.astype("datetime64[M]"))[-(LOOKBACK_MONTHS + 1) :]
    factors = _factors(factor_prices, months)
    excess = monthly_returns(prices, months) - _MONTHLY_RISK_FREE
    scored = [_regress(ticker, excess[:, column], factors) for column, ticker in enumerate(prices.tickers)]
    return sorted((score for score in scored if score is not None), key=lambda score: -score.score)


def monthly_returns(prices: PriceTable, months: np.typing.NDArray[np.datetime64]) -> Floats:
    """Return the change from each month's last price to the next one's, (len(months) - 1, m); NaN without either."""
    of_day = prices.dates.astype("datetime64[M]")
    values = prices.usable().values
    closes = np.full((len(months), len(prices.tickers)), np.nan)
    for row, month in enumerate(months):
        for day in np.flatnonzero(of_day == month):
            closes[row] = np.where(np.isnan(values[day]), closes[row], values[day])
    changes: Floats = closes[1:] / closes[:-1] - 1
    return changes


def _factors(factor_prices: PriceTable, months: np.typing.NDArray[np.datetime64]) -> Floats:
    market, small, value, growth = monthly_returns(factor_prices.select(FACTOR_TICKERS), months).T
    return np.column_stack([market - _MONTHLY_RISK_FREE, small - market, value - growth])


def _regress(ticker: str, excess: Floats, factors: Floats) -> ResidualScore | None:
    known = ~np.isnan(excess) & ~np.isnan(factors).any(axis=1)
    scored = slice(-SCORING_MONTHS - 1, -1)
    if known.sum() < FEWEST_MONTHS or not known[scored].all():
        return None
    design = np.column_stack([np.ones(int(known.sum())), factors[known]])
    coefficients = np.linalg.lstsq(design, excess[known], rcond=None)[0]
    residuals = np.full(len(excess), np.nan)
    residuals[known] = excess[known] - design @ coefficients
    deviation = float(residuals[known].std(ddof=1))
    if deviation < _LEAST_DEVIATION:
        return None
    total = float(((excess[known] - excess[known].mean()) ** 2).sum())
    return ResidualScore(
        ticker=ticker,
        score=float(residuals[scored].sum()) / deviation,
        r_squared=1 - float((residuals[known] ** 2).sum()) / total,
        beta_market=float(coefficients[1]),
        beta_size=float(coefficients[2]),
        beta_value=float(coefficients[3]),
        residual_volatility=deviation * float(np.sqrt(_MONTHS)),
    )
