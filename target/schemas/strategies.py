"""Bodies of /api/strategies. Field order is the contract's."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from target.schemas.fields import AnsweredTime, Finite, StorableText, TickerList


class StrategyEntry(BaseModel):
    """One strategy of the catalogue."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    category: str
    description: str
    parameters: dict[str, int | float | str]
    status: str


class BacktestOrder(BaseModel):
    """What to run. Nothing is checked that the run itself finds out; `universe` is accepted and ignored."""

    strategy_name: str
    start_date: StorableText = "2020-01-01"
    end_date: StorableText | None = None
    initial_capital: Finite = 100000  # as the legacy: an integer in the answer unless one is given
    tickers: TickerList | None = None
    universe: str = "SPX500"
    optimization_method: StorableText = "HRP"


class BacktestStarted(BaseModel):
    """The receipt of a backtest."""

    backtest_id: str
    status: str = "started"
    strategy_name: str
    message: str
    timestamp: AnsweredTime


class BacktestStatus(BaseModel):
    """How the latest run of a strategy stands: not_started, running, completed or `failed: …`."""

    strategy_name: str
    status: str
    has_results: bool
    timestamp: AnsweredTime


class BacktestResults(BaseModel):
    """What a backtest came to; `metrics` are texts for display, `execution_time` is in seconds."""

    model_config = ConfigDict(from_attributes=True)

    backtest_id: str
    strategy_name: str
    completed_at: AnsweredTime
    config: dict[str, Any]
    metrics: dict[str, str]
    final_value: float | None
    weights: dict[str, float]
    execution_time: Annotated[float, Field(validation_alias="execution_time_s")]


class FailedResults(BaseModel):
    """Why a backtest came to nothing."""

    model_config = ConfigDict(from_attributes=True)

    error: str


Results = BacktestResults | FailedResults


class StrategyDetail(StrategyEntry):
    """One strategy with what its latest run came to."""

    last_results: Results | None
    has_results: bool


class ComparedStrategy(BaseModel):
    """One strategy's figures as texts for display."""

    strategy: str
    category: str
    final_value: float | str
    total_return: str
    cagr: str
    sharpe_ratio: str
    max_drawdown: str
    win_rate: str


class StrategyComparison(BaseModel):
    """All strategies whose latest run was completed, in the order of the catalogue."""

    comparison: list[ComparedStrategy]
    generated_at: AnsweredTime
    strategies_compared: int
