"""Probabilities of Sharpe ratios: the contract's figures, scipy's distributions, and laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from target.quant.significance import (
    Confidence,
    Sample,
    confidence_of,
    deflated_sharpe,
    expected_maximum,
    normal_cdf,
    normal_quantile,
    probabilistic_sharpe,
)
from target.quant.simulated_sharpe import judge_sharpe

ratios = st.floats(-3, 3).filter(lambda ratio: abs(ratio) > 1e-3)


def sample(sharpe: float, days: int = 252, skewness: float = 0.0, kurtosis: float = 3.0) -> Sample:
    return Sample(days=days, sharpe=sharpe, skewness=skewness, kurtosis=kurtosis)


@pytest.mark.parametrize(
    ("sharpe", "samples", "trials", "deflated"),
    [(1.5, 252, 10, 0.17877809347824652), (0.1, 252, 2, 1.1279924183e-07), (1.0, 252, 1, 1.0), (1.0, 9, 1, 0.0)],
)
def test_the_contracts_deflated_ratios(sharpe: float, samples: int, trials: int, deflated: float):
    assert judge_sharpe(sharpe, samples, trials).deflated == pytest.approx(deflated, rel=1e-10)


@pytest.mark.parametrize(("sharpe", "samples", "probability"), [(1.0, 9, 0.9736), (1.0, 1, 0.5), (1.0, 0, 0.5)])
def test_the_contracts_probabilities_of_few_samples(sharpe: float, samples: int, probability: float):
    assert round(judge_sharpe(sharpe, samples, 1).probabilistic, 4) == probability


@pytest.mark.parametrize("sharpe", [0.0, math.inf, -math.inf, math.nan, 5e-324, 1e300])
def test_a_ratio_that_no_draw_can_have_has_no_probability(sharpe: float):
    judged = judge_sharpe(sharpe, 252, 3)
    assert math.isnan(judged.probabilistic)
    assert math.isnan(judged.deflated)


@given(ratios, st.integers(2, 400), st.integers(1, 10**6))
@settings(max_examples=60)
def test_the_legacys_formula_with_scipy(sharpe: float, samples: int, trials: int):
    draw = np.random.RandomState(42).normal(0.001, 0.02, samples)
    draw = (draw - draw.mean()) / draw.std(ddof=1) * (draw.mean() / sharpe) + draw.mean()
    ratio = draw.mean() / draw.std(ddof=1)
    spread = 1 + 0.5 * stats.skew(draw) ** 2 - (stats.kurtosis(draw) - 3) / 4
    deviation = np.sqrt(spread / (samples - 1))
    judged = judge_sharpe(sharpe, samples, trials)
    assert judged.probabilistic == pytest.approx(stats.norm.cdf(ratio / deviation), rel=1e-9, abs=1e-300)
    if samples >= 10:
        gamma = 0.5772156649
        greatest = (1 - gamma) * stats.norm.ppf(1 - 1 / trials) + gamma * stats.norm.ppf(1 - 1 / (trials * np.e))
        expected = stats.norm.cdf((ratio - greatest) / deviation)
        assert judged.deflated == pytest.approx(expected, rel=1e-6, abs=1e-300)


def test_a_draw_is_the_same_again_and_leaves_the_global_generator_alone():
    np.random.seed(7)
    before = np.random.get_state()[1].tolist()
    assert judge_sharpe(1.2, 300, 4) == judge_sharpe(1.2, 300, 4)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize(("samples", "trials"), [(-1, 1), (10, 0), (252, -3)])
def test_figures_that_lead_nowhere_are_refused(samples: int, trials: int):
    with pytest.raises(ValueError, match="There"):
        judge_sharpe(1.0, samples, trials)


@given(st.floats(-8, 8))
def test_the_normal_distribution_is_scipys(value: float):
    assert normal_cdf(value) == pytest.approx(stats.norm.cdf(value), rel=1e-12)


@given(st.floats(1e-12, 1 - 1e-12))
def test_its_inverse_is_scipys(probability: float):
    assert normal_quantile(probability) == pytest.approx(stats.norm.ppf(probability), rel=1e-9, abs=1e-12)


def test_the_greatest_of_many_draws_is_what_a_simulation_gives():
    draws = np.random.default_rng(1).normal(size=(20_000, 50)).max(axis=1)
    assert expected_maximum(50) == pytest.approx(draws.mean(), rel=0.02)
    assert expected_maximum(1) == -math.inf


def test_the_papers_example():
    """Bailey and López de Prado (2014), p. 10: annual ratio 2.5 over five years, 100 trials with variance 1/2."""
    observed = sample(2.5 / math.sqrt(250), days=1250, skewness=-3, kurtosis=10)
    threshold = math.sqrt(0.5 / 250) * expected_maximum(100)
    assert threshold == pytest.approx(0.1132, abs=5e-4)
    assert probabilistic_sharpe(observed, threshold) == pytest.approx(0.9004, abs=5e-4)


@given(ratios, st.lists(ratios, min_size=2, max_size=20))
def test_more_trials_that_differ_never_raise_the_confidence(sharpe: float, others: list[float]):
    observed = sample(sharpe / 16)
    trials = [other / 16 for other in others]
    assert deflated_sharpe(observed, trials) <= probabilistic_sharpe(observed) + 1e-12


def test_equal_trials_are_one():
    observed = sample(0.1)
    assert deflated_sharpe(observed, [0.1] * 9) == probabilistic_sharpe(observed)


@pytest.mark.parametrize("observed", [sample(0.1, days=1), sample(2.0, skewness=3.0, kurtosis=1.0)])
def test_moments_that_no_sample_has_give_no_probability(observed: Sample):
    assert math.isnan(probabilistic_sharpe(observed))


@pytest.mark.parametrize(
    ("probability", "word"), [(0.951, "HIGH"), (0.95, "MEDIUM"), (0.801, "MEDIUM"), (0.8, "LOW"), (math.nan, "LOW")]
)
def test_a_probability_in_a_word(probability: float, word: str):
    assert confidence_of(probability) is Confidence(word)
