"""Percentile and rate bounds against known values."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.statistics import (
    Bounds,
    percentile_bounds,
    rate_bounds,
    samples_for_percentile,
    samples_to_settle,
    trials_for_rate,
)


@pytest.mark.parametrize(("quantile", "fewest"), [(0.5, 5), (0.95, 59), (0.99, 299)])
def test_an_upper_bound_needs_the_textbook_number_of_samples(quantile: float, fewest: int) -> None:
    assert samples_for_percentile(quantile) == fewest
    assert percentile_bounds(range(fewest - 1), quantile).upper is None
    assert percentile_bounds(range(fewest), quantile).upper == fewest - 1


def test_failures_push_the_bound_to_infinity() -> None:
    bounds = percentile_bounds([1.0] * 298 + [math.inf], 0.99)
    assert bounds.value == 1.0
    assert bounds.upper == math.inf


def test_the_bounds_cover_the_true_percentile_as_often_as_they_claim() -> None:
    rng = random.Random(20260314)
    true_p95 = -math.log(0.05)
    runs = [percentile_bounds([rng.expovariate(1) for _ in range(120)], 0.95) for _ in range(600)]
    above = sum(run.upper is not None and run.upper >= true_p95 for run in runs) / len(runs)
    below = sum(run.lower is not None and run.lower <= true_p95 for run in runs) / len(runs)
    assert above >= 0.93
    assert below >= 0.93


@pytest.mark.parametrize(
    ("failures", "trials", "lower", "upper"),
    [(0, 2995, 0.0, 0.000999), (1, 10, 0.00512, 0.39416), (5, 100, 0.01991, 0.10225), (3, 3, 0.36840, 1.0)],
)
def test_rate_bounds_are_clopper_pearsons(failures: int, trials: int, lower: float, upper: float) -> None:
    bounds = rate_bounds(failures, trials)
    assert bounds.lower == pytest.approx(lower, abs=5e-6)
    assert bounds.upper == pytest.approx(upper, abs=5e-6)


def test_no_failure_in_2995_trials_bounds_the_rate_under_a_thousandth() -> None:
    assert trials_for_rate(0.001) == 2995
    assert rate_bounds(0, 2995).upper <= 0.001 < rate_bounds(0, 2994).upper  # type: ignore[operator]


@pytest.mark.parametrize(("samples", "quantile"), [([], 0.5), ([math.nan], 0.5), ([1.0], 1.0)])
def test_what_has_no_percentile_is_refused(samples: list[float], quantile: float) -> None:
    with pytest.raises(ValueError, match=r"percentile|quantile"):
        percentile_bounds(samples, quantile)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no rate"):
        rate_bounds(0, 0)


def test_samples_to_settle_grow_with_the_square_of_how_far_the_interval_must_shrink() -> None:
    assert samples_to_settle(Bounds(value=90, lower=80, upper=110, samples=100), 100) == 400
    assert samples_to_settle(Bounds(value=100, lower=80, upper=110, samples=100), 100) is None


@given(st.lists(st.floats(min_value=0, allow_nan=False), min_size=1, max_size=400), st.sampled_from([0.5, 0.95, 0.99]))
def test_bounds_enclose_the_estimate(samples: list[float], quantile: float) -> None:
    bounds = percentile_bounds(samples, quantile)
    assert bounds.lower is None or bounds.lower <= bounds.value
    assert bounds.upper is None or bounds.value <= bounds.upper
