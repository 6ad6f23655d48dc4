"""How far a Sharpe ratio can be believed, as it is answered."""

from pydantic import BaseModel

from target.quant.significance import Confidence
from target.schemas.fields import AnsweredFigure


class DeflatedSharpe(BaseModel):
    """The judgement of one ratio; probabilities with four decimals, null where there is none."""

    sharpe_ratio: AnsweredFigure
    deflated_sharpe_ratio: AnsweredFigure
    probabilistic_sharpe_ratio: AnsweredFigure
    n_trials: int
    n_samples: int
    is_significant: bool
    confidence_level: Confidence
    interpretation: str


class Validity(BaseModel):
    """What speaks for a strategy: probabilities with two decimals, null where there is none."""

    psr: AnsweredFigure
    dsr: AnsweredFigure
    num_trials: int
    is_significant: bool
    confidence_level: Confidence


class ValidatedStrategy(BaseModel):
    """A strategy by its latest completed backtest; `sharpe` and `sortino` are annual, `max_drawdown` a ratio."""

    id: str
    name: str
    sharpe: AnsweredFigure
    sortino: AnsweredFigure
    max_drawdown: AnsweredFigure
    validity: Validity


class ValidatedStrategies(BaseModel):
    """All strategies with a completed backtest, by name."""

    strategies: list[ValidatedStrategy]
    total_trials_rejected: int
    total_trials_accepted: int
    generated_at: str
