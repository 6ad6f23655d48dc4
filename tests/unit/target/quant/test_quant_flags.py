"""High tight flags: the shape is measured as described, and the score follows it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target.quant.flags import Flag, measure_flag, score_flag
from target.quant.prices import PriceTable
from target.quant.scan import Pattern, ScanData, ScanLimits, Signal, scan_flags, strength_ranks
from tests.builders.price_tables import random_walk, weekdays

ANYTHING = ScanLimits(min_price=0, max_price=1e9, min_volume=0)
NO_VOLUMES = np.empty(0)


def flag_prices() -> np.ndarray:
    """45 flat days, a run from 10 to 20 in 20 days, then a rest at 19."""
    return np.concatenate([np.full(45, 10.0), np.linspace(10.5, 20, 20), np.full(12, 19.0)])


def table_of(**columns: np.ndarray) -> PriceTable:
    return PriceTable(
        weekdays(len(next(iter(columns.values())))), tuple(columns), np.column_stack(list(columns.values()))
    )


def test_a_flag_is_measured():
    flag = measure_flag(flag_prices(), NO_VOLUMES)
    assert flag.gain == pytest.approx(1.0)
    assert flag.pullback == pytest.approx(0.05)
    assert flag.rest == pytest.approx(0.0)
    assert flag.is_high_and_tight


@pytest.mark.parametrize(
    ("gain", "pullback", "is_quiet", "is_flag"),
    [
        (0.25, 0.25, None, True),
        (0.24, 0.10, None, False),
        (0.50, 0.26, None, False),
        (0.50, 0.10, True, True),
        (0.50, 0.10, False, False),
    ],
)
def test_the_contracts_criteria_make_the_pattern(gain: float, pullback: float, is_quiet: bool | None, is_flag: bool):
    assert Flag(gain=gain, pullback=pullback, rest=0.0, is_quiet=is_quiet).is_high_and_tight is is_flag


def test_less_volume_in_the_rest_is_quiet():
    busy_then_quiet = np.concatenate([np.full(25, 900.0), np.full(10, 300.0)])
    assert measure_flag(flag_prices(), busy_then_quiet).is_quiet is True
    assert measure_flag(flag_prices(), busy_then_quiet[::-1]).is_quiet is False
    assert measure_flag(flag_prices(), busy_then_quiet[1:]).is_quiet is None


def test_a_perfect_flag_scores_a_hundred_and_its_opposite_nothing():
    assert score_flag(Flag(gain=1.0, pullback=0.0, rest=0.0), 100, 0.03) == 100
    assert score_flag(Flag(gain=0.0, pullback=0.25, rest=0.20), 0, 0.0) == 0


figures = st.floats(0, 2)


@given(figures, figures, figures, st.integers(1, 100), figures)
def test_a_score_lies_between_0_and_100_and_rises_with_the_run(
    gain: float, pullback: float, rest: float, rank: int, daily_range: float
):
    score = score_flag(Flag(gain=gain, pullback=pullback, rest=rest), rank, daily_range)
    assert 0 <= score <= 100 + 1e-9
    assert score_flag(Flag(gain=gain + 0.1, pullback=pullback, rest=rest), rank, daily_range) >= score
    assert score_flag(Flag(gain=gain, pullback=pullback, rest=rest + 0.1), rank, daily_range) <= score


def test_ranks_spread_from_1_to_100():
    assert strength_ranks([3.0, 1.0, 2.0]) == [100, 1, 50]
    assert strength_ranks([1.0, 1.0, 2.0]) == [1, 1, 100]
    assert strength_ranks([1.0]) == [100]
    assert strength_ranks([]) == []


def test_a_scan_finds_the_flag_first():
    falling = np.linspace(30, 20, 77)
    found = scan_flags(ScanData(closes=table_of(FALLING=falling, FLAG=flag_prices())), ANYTHING)
    assert [finding.ticker for finding in found] == ["FLAG", "FALLING"]
    best = found[0]
    assert (best.signal, best.pattern, best.rs_rank) == (Signal.BUY, Pattern.HIGH_TIGHT_FLAG, 100)
    assert (best.price, best.change_pct, best.volume) == (19.0, 0.0, None)
    assert found[1].signal is Signal.HOLD


def test_the_range_of_a_day_comes_from_highs_and_lows_where_they_are_known():
    closes = table_of(A=flag_prices())
    by_closes = scan_flags(ScanData(closes=closes), ANYTHING)[0].adr_pct
    data = ScanData(closes=closes, highs=table_of(A=flag_prices() * 1.04), lows=table_of(A=flag_prices()))
    assert scan_flags(data, ANYTHING)[0].adr_pct == 4.0
    assert by_closes < 4.0


@pytest.mark.parametrize(
    ("limits", "is_found"),
    [
        (ScanLimits(min_price=19, max_price=19, min_volume=500), True),
        (ScanLimits(min_price=19.01), False),
        (ScanLimits(max_price=18.99), False),
        (ScanLimits(min_volume=501), False),
    ],
)
def test_limits_include_their_bounds(limits: ScanLimits, is_found: bool):
    volumes = table_of(A=np.full(77, 500.0))
    found = scan_flags(ScanData(closes=table_of(A=flag_prices()), volumes=volumes), limits)
    assert bool(found) is is_found
    assert not found or found[0].volume == 500


def test_an_unknown_volume_passes_the_limit_on_it():
    data = ScanData(closes=table_of(A=flag_prices()), volumes=table_of(B=np.ones(77)))
    assert scan_flags(data, ScanLimits(min_volume=10**9))[0].volume is None


def test_a_young_or_unknown_ticker_is_left_out():
    young = np.concatenate([np.full(14, np.nan), np.full(63, 9.0)])
    data = ScanData(closes=table_of(YOUNG=young, NONE=np.full(77, np.nan), A=flag_prices()))
    assert [finding.ticker for finding in scan_flags(data, ANYTHING)] == ["A"]
    assert scan_flags(ScanData(closes=PriceTable.empty(["A"])), ANYTHING) == []


@given(st.integers(1, 500), st.permutations(["A", "B", "C", "D", "E"]))
@settings(max_examples=25)
def test_what_is_found_does_not_depend_on_the_order_of_columns(seed: int, order: list[str]):
    table = random_walk(100, ["A", "B", "C", "D", "E"], seed=seed, missing=0.03)
    found = scan_flags(ScanData(closes=table), ANYTHING)
    again = scan_flags(ScanData(closes=table.select(order)), ANYTHING)
    assert sorted(found, key=lambda finding: finding.ticker) == sorted(again, key=lambda finding: finding.ticker)
    assert [finding.score for finding in found] == sorted((finding.score for finding in found), reverse=True)
