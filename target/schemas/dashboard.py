"""Bodies of /api/dashboard. Field order is the contract's."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from target.schemas.fields import AnsweredTime


class Summary(BaseModel):
    """All strategies in four figures; `best_cagr` is a text for display."""

    total_strategies: int
    strategies_with_results: int
    best_performer: str | None
    best_cagr: str


class OverviewRow(BaseModel):
    """One strategy's latest backtest; texts are for display, "N/A" where there is nothing to show."""

    name: str
    final_value: float | str
    cagr: str
    sharpe: str
    max_drawdown: str
    status: str


class Overview(BaseModel):
    """All strategies with a backtest."""

    generated_at: AnsweredTime
    summary: Summary
    strategies: list[OverviewRow]
    last_update: AnsweredTime


class Unfilled(BaseModel):
    """A strategy that a dashboard has no figures of."""

    status: str = "no_data"
    message: str = "Run a backtest to see results."


class Quant1(BaseModel):
    """The first generation of strategies."""

    generated_at: AnsweredTime
    source: str = "live"
    strategies: dict[str, Unfilled]


class UniverseInfo(BaseModel):
    """A universe without its tickers. The key comes last here."""

    name: str
    description: str
    region: str
    asset_class: str
    ticker_count: int
    key: str


class RegimeOdds(BaseModel):
    """Probabilities of market regimes."""

    bull: float
    bear: float
    sideways: float


class Regime(BaseModel):
    """The market's regime; UNKNOWN until a model has been run."""

    current: str
    probabilities: RegimeOdds
    message: str


class Quant2(BaseModel):
    """The second generation of strategies, on one universe."""

    generated_at: AnsweredTime
    source: str = "live"
    universe: UniverseInfo
    universe_key: str
    ticker_count: int
    regime: Regime
    strategies: dict[str, Unfilled]


class UniverseRefusal(BaseModel):
    """An unknown universe, which this one route answers with status 200."""

    error: str
    generated_at: AnsweredTime


class OlmarParameters(BaseModel):
    """What the strategy is run with."""

    window: int = 5
    epsilon: int = 10
    universe: str = "NASDAQ-100"


class Olmar(BaseModel):
    """The mean-reversion strategy."""

    generated_at: AnsweredTime
    source: str = "live"
    strategy: str = "OLMAR"
    description: str = "Online moving-average reversion"
    parameters: OlmarParameters = OlmarParameters()
    status: str = "no_data"
    message: str = "Run the OLMAR strategy to fill this dashboard."


class ComparisonRow(BaseModel):
    """One strategy's figures as texts for display, "N/A" where there are none."""

    strategy: str
    final_value: float | str
    total_return: str
    cagr: str
    volatility: str
    sharpe_ratio: str
    sortino_ratio: str
    max_drawdown: str
    calmar_ratio: str
    win_rate: str


class BacktestConfig(BaseModel):
    """What the table assumes."""

    initial_capital: int = 100000
    base_currency: str = "AUD"


class BacktestTable(BaseModel):
    """All strategies with a backtest, by name."""

    generated_at: AnsweredTime
    source: str = "live"
    comparison_table: list[ComparisonRow]
    total_strategies: int
    config: BacktestConfig = BacktestConfig()


class Comparison(BaseModel):
    """All strategies with a backtest, by final value, greatest first."""

    comparison: list[ComparisonRow]
    metrics: list[str]
    strategies_count: int
    generated_at: AnsweredTime


class NoComparison(BaseModel):
    """What is answered until there is a backtest."""

    comparison: list[ComparisonRow] = []
    message: str = "No backtest results yet. Run a backtest first."
    generated_at: AnsweredTime


class CombinedAllocation(BaseModel):
    """What all strategies together would hold; combined weights add up to 1, greatest first."""

    generated_at: AnsweredTime
    combined_allocation: dict[str, float]
    by_strategy: dict[str, dict[str, float]]
    total_positions: int
    strategies_used: int
    note: str = "Mean of the weights of all strategies"


class UniverseFreshness(BaseModel):
    """How old one group's prices are."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    last_cache_update: AnsweredTime | None
    latest_data_date: date | None
    expected_latest_date: date
    staleness_days: int
    is_stale: bool
    needs_refresh: bool
    message: str


class FreshnessReport(BaseModel):
    """How old the prices of all groups are."""

    check_time: AnsweredTime
    overall_status: str
    universes: list[UniverseFreshness]
    needs_refresh_count: int


class MarketDay(BaseModel):
    """The last day that prices can be expected of; no market is ever open here."""

    last_trading_date: date
    is_open: bool = False


class PricesStatus(BaseModel):
    """How old the stored prices are; coverage is always empty in the contract."""

    check_time: AnsweredTime
    overall_status: str
    freshness: FreshnessReport
    coverage: list[str] = []
    markets: dict[str, MarketDay]
