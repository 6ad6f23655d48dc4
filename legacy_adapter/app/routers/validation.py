"""`/api/validation` (contract section 4.9)."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Query

from legacy_adapter.app.catalogue import load_data
from legacy_adapter.app.services.deflated_sharpe import (
    deflated_sharpe,
    probabilistic_sharpe,
    simulated_returns,
)

router = APIRouter()


@router.get("/strategies")
async def list_validated() -> dict[str, Any]:
    """Four fixed strategies (LEGACY-PARITY: Q15)."""
    strategies = load_data("validated_strategies")
    accepted = sum(strategy["validity"]["is_significant"] for strategy in strategies)
    return {
        "strategies": strategies,
        "total_trials_rejected": len(strategies) - accepted,
        "total_trials_accepted": accepted,
        "generated_at": datetime.now().isoformat(),
    }


@router.post("/calculate-dsr")
async def calculate_dsr(
    sharpe_ratio: float = Query(...),
    n_trials: int = Query(1),
    n_samples: int = Query(252),
    skewness: float = Query(0.0),
    kurtosis: float = Query(3.0),
) -> dict[str, Any]:
    """Skewness and kurtosis are ignored.

    LEGACY-PARITY: Q13, from ten samples on `is_significant` is numpy's own boolean, which cannot be serialised.
    """
    del skewness, kurtosis
    returns = simulated_returns(sharpe_ratio, n_samples)
    psr = probabilistic_sharpe(returns)
    dsr = deflated_sharpe(returns, n_trials)
    confidence = "HIGH" if dsr > 0.95 else "MEDIUM" if dsr > 0.80 else "LOW"
    return {
        "sharpe_ratio": sharpe_ratio,
        "deflated_sharpe_ratio": round(dsr, 4),
        "probabilistic_sharpe_ratio": round(psr, 4),
        "n_trials": n_trials,
        "n_samples": n_samples,
        "is_significant": dsr > 0.95,
        "confidence_level": confidence,
        "interpretation": f"The confidence in this ratio after {n_trials} trials is {confidence}.",
    }
