"""The storage probes judge: what was asked for too much, what was never asked for, what differs, what was measured."""

from collections.abc import Mapping
from datetime import date

import pytest

from harness.domain.compare_objects import compare_objects
from harness.domain.errors import SystemUnavailable
from harness.domain.objects import OpaqueObject
from harness.wiring.probes.cache import _measured, _since
from harness.wiring.probes.cache_pair import load_cases
from harness.wiring.probes.objects import _check_asked, _equality

CASES = load_cases()
KNOWN = {ticker: (date(2020, 1, 6), date(2026, 1, 30)) for ticker in CASES.tickers if ticker not in CASES.lost_tickers}


def request(ticker: str, first: str, last: str) -> str:
    return f"/tiingo/daily/{ticker}/prices?startDate={first}&endDate={last}"


def complete() -> list[str]:
    """What a target asks for that asks for no more than it lacks."""
    lost = [request(ticker, "2005-01-01", "2026-03-02") for ticker in CASES.lost_tickers]
    known = [
        request(ticker, *days)
        for ticker in KNOWN
        for days in (("2005-01-01", "2020-01-06"), ("2026-01-29", "2026-03-02"))
    ]
    return lost + known


def test_asking_for_what_is_missing_with_a_known_day_passes() -> None:
    assert _check_asked(complete(), CASES, KNOWN).passed


@pytest.mark.parametrize(
    "planted",
    [
        [*complete(), request(next(iter(KNOWN)), "2005-01-01", "2026-03-02")],
        [*complete(), request(next(iter(KNOWN)), "2026-01-20", "2026-03-02")],
        [*complete(), "/v8/finance/chart/SPY"],
        complete()[1:],
        [],
    ],
    ids=["everything again", "too far back", "another source", "one ticker not", "nothing"],
)
def test_asking_for_more_or_less_fails(planted: list[str]) -> None:
    assert not _check_asked(planted, CASES, KNOWN).passed


def test_nothing_compared_is_no_equality() -> None:
    assert not _equality("equal", {}, ()).passed
    opaque = {"a.json": OpaqueObject(sha256="0", size_bytes=1)}
    assert not _equality("equal", opaque, ()).passed
    assert not _equality("equal", opaque, tuple(compare_objects(opaque, {}))).passed


def metrics(hits: list[float], misses: list[float], reads: list[float]) -> Mapping[str, list[float]]:
    return {CASES.hits_metric: hits, CASES.misses_metric: misses, CASES.read_time_metric: reads}


def test_rate_and_time_have_bounds_on_the_side_that_counts() -> None:
    rate, time = _measured(metrics([0.0, 34.0 * 19], [34.0], [1.0] * 199 + [500.0]), CASES)
    assert (rate.value, rate.samples, time.value, time.samples) == (95.0, 680, 1.0, 200)
    assert rate.lower is not None and 90 < rate.lower < 95
    assert time.upper == 1.0


@pytest.mark.parametrize("told", [metrics([], [], [1.0]), metrics([1.0], [], []), metrics([0.0], [0.0], [1.0])])
def test_functions_that_tell_nothing_settle_nothing(told: Mapping[str, list[float]]) -> None:
    with pytest.raises(SystemUnavailable, match="told"):
        _measured(told, CASES)


def test_values_of_before_are_taken_out_wherever_they_stand() -> None:
    assert _since(metrics([1.0], [], [3.0, 5.0]), metrics([1.0, 1.0], [2.0], [5.0, 4.0, 3.0])) == metrics(
        [1.0], [2.0], [4.0]
    )
