"""Bodies of /api/dashboard/quant1, /quant2 and /olmar. Field order is the contract's."""

from pydantic import BaseModel

from target.schemas.fields import AnsweredTime


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
