"""How Sharpe ratios are judged as answers."""

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from target.errors import InvalidInput
from target.quant.backtest import BacktestPlan, Evidence, run_backtest
from target.repositories.evidence import StoredEvidence
from target.services.validation import count_significant, judge_told_sharpe, validate_strategies
from tests.builders.price_tables import random_walk


def evidence(daily_sharpe: float | None = 0.1, **other: Any) -> dict[str, Any]:
    known = asdict(
        Evidence(
            days=500,
            daily_sharpe=0.0,
            annual_sharpe=1.456,
            sortino=2.0,
            max_drawdown=-0.123,
            skewness=0.0,
            kurtosis=3.0,
        )
    )
    return {**known, "daily_sharpe": daily_sharpe, **other}


def stored(name: str, **figures: Any) -> StoredEvidence:
    return StoredEvidence(name, evidence(**figures))


def test_a_told_ratio_is_judged_as_the_contract_says():
    judged = judge_told_sharpe(1.5, 10, 252)
    assert judged.model_dump(mode="json") == {
        "sharpe_ratio": 1.5,
        "deflated_sharpe_ratio": 0.1788,
        "probabilistic_sharpe_ratio": 1.0,
        "n_trials": 10,
        "n_samples": 252,
        "is_significant": False,
        "confidence_level": "LOW",
        "interpretation": "The confidence in this ratio after 10 trials is LOW.",
    }


def test_one_trial_is_always_significant_and_a_ratio_of_zero_has_no_probability():
    assert judge_told_sharpe(0.1, 1, 10).confidence_level == "HIGH"
    shown = judge_told_sharpe(0.0, 1, 252).model_dump(mode="json")
    assert (shown["deflated_sharpe_ratio"], shown["probabilistic_sharpe_ratio"]) == (None, None)
    assert not shown["is_significant"]
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize(
    ("trials", "samples", "location", "kind"),
    [
        (1, -1, "n_samples", "greater_than_equal"),
        (1, 1_000_001, "n_samples", "less_than_equal"),
        (0, 10, "n_trials", "greater_than_equal"),
        (2**63, 10, "n_trials", "less_than_equal"),
    ],
)
def test_figures_that_lead_nowhere_are_refused(trials: int, samples: int, location: str, kind: str):
    with pytest.raises(InvalidInput) as raised:
        judge_told_sharpe(1.0, trials, samples)
    (entry,) = raised.value.detail
    assert (entry["type"], entry["loc"]) == (kind, ["query", location])


@pytest.mark.parametrize("trials", [0, -7, 10**40])
def test_below_ten_samples_trials_do_not_matter(trials: int):
    assert judge_told_sharpe(1.0, trials, 9).probabilistic_sharpe_ratio == 0.9736


def test_each_strategy_is_judged_by_its_newest_backtest():
    newest, older = stored("Dual_Momentum", annual_sharpe=2.0), stored("Dual_Momentum", annual_sharpe=1.0)
    (validated, other) = validate_strategies([newest, stored("HRP"), older])
    assert (validated.id, validated.name, validated.sharpe) == ("dual-momentum", "Dual Momentum", 2.0)
    assert (other.id, other.max_drawdown, other.sharpe) == ("hrp", -0.12, 1.46)


def test_backtests_that_differ_are_trials_and_cost_confidence():
    alone = validate_strategies([stored("HRP"), stored("HRP")])[0].validity
    tried = validate_strategies([stored("HRP", daily_sharpe=0.1 + step / 50) for step in range(-4, 5)])[0].validity
    assert (alone.num_trials, tried.num_trials) == (1, 9)
    assert alone.dsr == alone.psr
    assert tried.dsr < tried.psr


def test_what_is_significant_is_counted():
    strategies = validate_strategies([stored("A", daily_sharpe=0.3), stored("B", daily_sharpe=0.001)])
    assert [strategy.validity.confidence_level for strategy in strategies] == ["HIGH", "LOW"]
    assert count_significant(strategies) == 1


def test_evidence_without_figures_is_shown_as_unknown():
    missing = dict.fromkeys(["annual_sharpe", "sortino", "max_drawdown", "skewness", "kurtosis"])
    shown = validate_strategies([stored("HRP", daily_sharpe=None, **missing)])[0].model_dump(mode="json")
    assert (shown["sharpe"], shown["sortino"], shown["max_drawdown"]) == (None, None, None)
    assert shown["validity"] == {
        "psr": None,
        "dsr": None,
        "num_trials": 1,
        "is_significant": False,
        "confidence_level": "LOW",
    }


def test_a_backtests_own_evidence_can_be_judged():
    outcome = run_backtest(BacktestPlan(strategy_name="HRP"), random_walk(300, ["A", "B", "C"]))
    (validated,) = validate_strategies([StoredEvidence("HRP", asdict(outcome.evidence))])
    assert validated.sharpe == pytest.approx(float(outcome.metrics["Sharpe"]), abs=0.006)
    assert 0 <= validated.validity.psr <= 1
    assert math.isfinite(validated.sortino)
    assert np.sign(validated.max_drawdown) <= 0
