"""Bodies of /api/dashboard that show backtests. Field order is the contract's."""

from pydantic import BaseModel

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
