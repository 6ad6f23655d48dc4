"""What dashboards make of stored backtests, and how old prices are told to be."""

from datetime import date, datetime, timedelta

import pytest

from target.catalogue.trading_days import Market, last_trading_date
from target.database.jobs import Backtest, JobRow
from target.jobs.job import JobState
from target.services.dashboard import by_final_value, combine_weights, final_value_of, find_best
from target.services.displayed_metrics import METRIC_NAMES, displayed_metrics, fraction_of
from target.services.freshness import Group, Stored, groups, judge_freshness, prices_status
from target.services.job_status import LOST_AFTER, status_text

NOW = datetime(2025, 1, 2, 12)


def backtest(name: str, cagr: str = "1.00%", final_value: float | None = 1.0, **weights: float) -> Backtest:
    return Backtest(strategy_name=name, metrics={"CAGR": cagr}, final_value=final_value, weights=weights)


@pytest.mark.parametrize(
    ("text", "fraction"), [("15.2%", 0.152), ("-3%", -0.03), ("0.5", 0.5), ("N/A", 0.0), ("", 0.0), ("%", 0.0)]
)
def test_a_displayed_figure_is_read_back(text: str, fraction: float):
    assert fraction_of(text) == pytest.approx(fraction)


def test_every_metric_has_a_text():
    assert displayed_metrics({"Sharpe": "1.250"}) == {**dict.fromkeys(METRIC_NAMES, "N/A"), "sharpe_ratio": "1.250"}


@pytest.mark.parametrize(
    ("cagrs", "name", "shown"),
    [
        ([], None, "N/A"),
        (["2.00%", "15.20%", "15.20%"], "1", "15.2%"),
        (["-2.00%", "-15.20%"], "0", "-2.0%"),
        (["nan%", "1.00%"], "1", "1.0%"),
        (["N/A", "-1.00%"], "0", "N/A"),
    ],
)
def test_the_best_is_the_first_of_the_greatest(cagrs: list[str], name: str | None, shown: str):
    best = find_best([backtest(str(number), cagr) for number, cagr in enumerate(cagrs)])
    assert (best.name, best.cagr) == (name, shown)


def test_comparisons_are_by_final_value_and_keep_the_order_of_equals():
    rows = [backtest("a", final_value=1.0), backtest("b", final_value=None), backtest("c", final_value=1.0)]
    rows.append(backtest("d", final_value=2.0))
    assert [row.strategy_name for row in by_final_value(rows)] == ["d", "a", "c", "b"]
    assert [final_value_of(row) for row in rows] == [1.0, "N/A", 1.0, 2.0]


def test_combined_weights_are_means_over_who_holds_a_ticker_scaled_to_one():
    allocation = combine_weights([backtest("a", X=0.75, Y=0.25), backtest("b", X=0.25, Z=0.75), backtest("c")])
    assert allocation.combined == {"Z": 0.5, "X": pytest.approx(1 / 3), "Y": pytest.approx(1 / 6)}
    assert list(allocation.combined) == ["Z", "X", "Y"]
    assert allocation.by_strategy == {"a": {"X": 0.75, "Y": 0.25}, "b": {"X": 0.25, "Z": 0.75}}
    assert combine_weights([]).combined == {}


@pytest.mark.parametrize(
    ("market", "now", "expected"),
    [
        (Market.US, datetime(2024, 7, 3, 6, 59), date(2024, 7, 2)),
        (Market.US, datetime(2024, 7, 3, 7), date(2024, 7, 3)),
        (Market.US, datetime(2024, 7, 4, 12), date(2024, 7, 3)),
        (Market.AU, datetime(2024, 4, 1, 15, 59), date(2024, 3, 28)),
        (Market.AU, datetime(2024, 4, 2, 16), date(2024, 4, 2)),
        (Market.US, datetime(2026, 7, 3, 12), date(2026, 7, 3)),
        (Market.US, datetime(2025, 1, 1, 12), date(2024, 12, 31)),
    ],
)
def test_the_last_trading_date_steps_over_nights_weekends_and_known_holidays(
    market: Market, now: datetime, expected: date
):
    assert last_trading_date(market, now) == expected


def test_a_group_is_as_fresh_as_its_newest_price():
    group = Group(name="both", market=Market.US, tickers=("A", "B", "C"))
    stored = {
        "A": Stored(latest_on=date(2024, 12, 30), updated_at=NOW),
        "B": Stored(latest_on=date(2024, 12, 27), updated_at=NOW + timedelta(hours=1)),
        "D": Stored(latest_on=date(2025, 1, 2), updated_at=NOW),
    }
    fresh = judge_freshness(group, stored, NOW)
    assert (fresh.latest_data_date, fresh.last_cache_update) == (date(2024, 12, 30), NOW + timedelta(hours=1))
    assert (fresh.staleness_days, fresh.is_stale, fresh.message) == (3, True, "Data needs a refresh")
    newer = judge_freshness(group, {"A": Stored(latest_on=date(2025, 1, 3))}, NOW)
    assert (newer.staleness_days, newer.is_stale, newer.message) == (0, False, "Data is current")
    nothing = judge_freshness(group, {}, NOW)
    assert (nothing.staleness_days, nothing.needs_refresh, nothing.latest_data_date) == (0, True, None)


def test_the_whole_is_named_after_its_parts():
    everything = {ticker: Stored(latest_on=NOW.date()) for group in groups() for ticker in group.tickers}
    some = {"AAPL": Stored(latest_on=NOW.date())}
    told = [prices_status(stored, NOW) for stored in (everything, some, {})]
    assert [each.overall_status for each in told] == ["all_current", "partially_stale", "all_stale"]
    assert [each.freshness.needs_refresh_count for each in told] == [0, 2, 4]


@pytest.mark.parametrize(
    ("state", "since_start", "text"),
    [
        (JobState.QUEUED, None, "running"),
        (JobState.RUNNING, LOST_AFTER, "running"),
        (JobState.RUNNING, LOST_AFTER + timedelta(seconds=1), "failed: The run was interrupted, please start it again"),
        (JobState.COMPLETED, LOST_AFTER * 2, "completed"),
        (JobState.FAILED, LOST_AFTER * 2, "failed: why"),
    ],
)
def test_a_job_is_told_as_the_contract_words_it(state: JobState, since_start: timedelta | None, text: str):
    started_at = None if since_start is None else NOW - since_start
    submitted_at = NOW if started_at is None else NOW - LOST_AFTER * 3
    job = JobRow(state=state, error="why", submitted_at=submitted_at, started_at=started_at)
    assert status_text(job, NOW) == text
