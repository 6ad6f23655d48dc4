"""Rankings by residual momentum, as they are answered."""

from pydantic import BaseModel


class StockRanking(BaseModel):
    """One ranked stock; figures with two decimals, `residual_vol` annual, in percent, with one."""

    rank: int
    ticker: str
    score: float
    r_squared: float | None
    beta_mkt: float | None
    beta_smb: float | None
    beta_hml: float | None
    residual_vol: float | None


class Ranking(BaseModel):
    """The head of a universe's ranking, and its tail where asked for."""

    universe: str
    universe_name: str
    generated_at: str
    lookback_months: int
    scoring_months: int
    stocks_ranked: int
    top_score: float
    avg_r_squared: float
    rankings: list[StockRanking]
    bottom_rankings: list[StockRanking] | None


class FullRanking(BaseModel):
    """A universe's whole ranking, filtered, sorted and numbered again."""

    universe: str
    universe_name: str
    generated_at: str
    total_stocks: int
    filtered_stocks: int
    sort_by: str
    sort_order: str
    min_score: float | None
    max_score: float | None
    stocks: list[StockRanking]


class UniverseCheck(BaseModel):
    """Whether a universe is known, with the first ten of its tickers."""

    universe: str
    valid: bool
    ticker_count: int
    sample_tickers: list[str]
    api_status: str


class UniverseSummary(BaseModel):
    """One universe, with the first five of its tickers."""

    key: str
    name: str
    region: str
    ticker_count: int
    sample: list[str]
    status: str


class UniversesSummary(BaseModel):
    """All universes in the registry's order."""

    generated_at: str
    total_universes: int
    universes: list[UniverseSummary]
