"""/api/validation: how far Sharpe ratios can be believed."""

from fastapi import APIRouter

from target.clock import utc_now
from target.database.session import Snapshot
from target.repositories.evidence import list_evidence
from target.routers.answers import may_answer
from target.schemas.validation import DeflatedSharpe, ValidatedStrategies
from target.services.validation import count_significant, judge_told_sharpe, validate_strategies

router = APIRouter(prefix="/api/validation", tags=["validation"], responses=may_answer(503))


@router.get("/strategies")
async def get_validated_strategies(session: Snapshot) -> ValidatedStrategies:
    """Every strategy with a completed backtest, judged by what its backtests earned (Q15)."""
    strategies = validate_strategies(await list_evidence(session))
    accepted = count_significant(strategies)
    return ValidatedStrategies(
        strategies=strategies,
        total_trials_rejected=len(strategies) - accepted,
        total_trials_accepted=accepted,
        generated_at=utc_now().isoformat(),
    )


@router.post("/calculate-dsr")
async def calculate_deflated_sharpe(
    sharpe_ratio: float, n_trials: int = 1, n_samples: int = 252, skewness: float = 0.0, kurtosis: float = 3.0
) -> DeflatedSharpe:
    """The deflated ratio of one that is told. LEGACY-PARITY: section 4.9, skewness and kurtosis change nothing."""
    del skewness, kurtosis
    return judge_told_sharpe(sharpe_ratio, n_trials, n_samples)
