"""From Sharpe ratios to how far they can be believed: of one that is told, and of the stored backtests."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from target.errors import InvalidInput
from target.quant.significance import (
    SIGNIFICANT_ABOVE,
    Sample,
    confidence_of,
    deflated_sharpe,
    probabilistic_sharpe,
)
from target.quant.simulated_sharpe import FEWEST_DEFLATED, MOST_SAMPLES, judge_sharpe
from target.repositories.evidence import StoredEvidence
from target.schemas.fields import LARGEST_ID
from target.schemas.validation import DeflatedSharpe, ValidatedStrategy, Validity


def judge_told_sharpe(sharpe: float, trials: int, samples: int) -> DeflatedSharpe:
    """Return the judgement of a ratio that comes without returns.

    Raises:
        InvalidInput: the figures lead nowhere, where the legacy answers 500 (Q13).
    """
    _require_between("n_samples", samples, 0, MOST_SAMPLES)
    if samples >= FEWEST_DEFLATED:
        _require_between("n_trials", trials, 1, LARGEST_ID)
    judged = judge_sharpe(sharpe, samples, trials)
    confidence = confidence_of(judged.deflated)
    return DeflatedSharpe(
        sharpe_ratio=sharpe,
        deflated_sharpe_ratio=_rounded(judged.deflated, 4),
        probabilistic_sharpe_ratio=_rounded(judged.probabilistic, 4),
        n_trials=trials,
        n_samples=samples,
        is_significant=judged.deflated > SIGNIFICANT_ABOVE,
        confidence_level=confidence,
        interpretation=f"The confidence in this ratio after {trials} trials is {confidence}.",
    )


def validate_strategies(stored: Sequence[StoredEvidence]) -> list[ValidatedStrategy]:
    """Return one entry a strategy, by name; `stored` comes newest first.

    The newest backtest is the one that is judged, and every different one of the same strategy is a trial.
    """
    by_strategy: dict[str, list[dict[str, Any]]] = {}
    for row in stored:
        by_strategy.setdefault(row.strategy_name, []).append(row.evidence)
    return [_validate(name, evidence) for name, evidence in sorted(by_strategy.items())]


def count_significant(strategies: Iterable[ValidatedStrategy]) -> int:
    """Return how many strategies are more than luck."""
    return sum(strategy.validity.is_significant for strategy in strategies)


def _validate(name: str, evidence: Sequence[dict[str, Any]]) -> ValidatedStrategy:
    latest = evidence[0]
    sample = Sample(
        days=latest["days"],
        sharpe=_number(latest["daily_sharpe"]),
        skewness=_number(latest["skewness"]),
        kurtosis=_number(latest["kurtosis"]),
    )
    trials = {each["daily_sharpe"] for each in evidence if each["daily_sharpe"] is not None}
    deflated = deflated_sharpe(sample, sorted(trials))
    return ValidatedStrategy(
        id=name.lower().replace("_", "-"),
        name=name.replace("_", " "),
        sharpe=_rounded(_number(latest["annual_sharpe"]), 2),
        sortino=_rounded(_number(latest["sortino"]), 2),
        max_drawdown=_rounded(_number(latest["max_drawdown"]), 2),
        validity=Validity(
            psr=_rounded(probabilistic_sharpe(sample), 2),
            dsr=_rounded(deflated, 2),
            num_trials=max(1, len(trials)),
            is_significant=deflated > SIGNIFICANT_ABOVE,
            confidence_level=confidence_of(deflated),
        ),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _rounded(value: float, digits: int) -> float:
    """Round as numpy does, by scaling: the legacy's last digit in a tie is numpy's."""
    return float(np.round(value, digits))


def _require_between(name: str, value: int, least: int, most: int) -> None:
    for kind, bound, word, is_held in (
        ("greater_than_equal", {"ge": least}, f"greater than or equal to {least}", value >= least),
        ("less_than_equal", {"le": most}, f"less than or equal to {most}", value <= most),
    ):
        if not is_held:
            raise InvalidInput(
                location=("query", name), kind=kind, message=f"Input should be {word}", given=str(value), **bound
            )
