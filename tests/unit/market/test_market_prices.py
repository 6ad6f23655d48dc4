"""The generated market holds what its page says: deterministic, sound, and with the flaws of real data."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from legacy_adapter.market.catalogue import DEFAULT_SEED, Market
from legacy_adapter.market.listings import Region, load_listings
from legacy_adapter.market.prices import History, generate_history
from legacy_adapter.market.trading_days import easter_sunday, holidays_of

_DATA = Path(__file__).resolve().parents[3] / "legacy_adapter" / "app" / "data"
_LAST = date(2026, 1, 30)


def _history(ticker: str, *, seed: int = DEFAULT_SEED, last: date = _LAST) -> History:
    return generate_history(load_listings()[ticker], seed=seed, last_day=last)


def _all() -> dict[str, History]:
    return {ticker: _history(ticker) for ticker in load_listings()}


@pytest.fixture(scope="module")
def market() -> dict[str, History]:
    return _all()


def test_every_ticker_that_the_legacy_names_is_listed() -> None:
    universes = json.loads((_DATA / "universes.json").read_text())
    named = {ticker for universe in universes for ticker in universe["tickers"]}
    named |= set(json.loads((_DATA / "pipeline_tickers.json").read_text()))
    assert named <= set(load_listings())


@pytest.mark.parametrize("region", Region)
def test_the_holidays_are_those_that_the_legacy_knows(region: Region) -> None:
    known = json.loads((_DATA / "holidays.json").read_text())[region.value]
    weekdays = [day.isoformat() for year in (2024, 2025) for day in sorted(holidays_of(region, year))]
    assert weekdays == known


def test_easter_falls_where_the_calendar_has_it() -> None:
    assert [easter_sunday(year).isoformat() for year in (2005, 2011, 2024, 2038)] == [
        "2005-03-27", "2011-04-24", "2024-03-31", "2038-04-25",
    ]  # fmt: skip


def test_prices_are_the_same_again_and_others_under_another_seed() -> None:
    first, again, other = _history("AAPL"), _history("AAPL"), _history("AAPL", seed=1)
    assert np.array_equal(first.close, again.close, equal_nan=True)
    assert not np.array_equal(first.close, other.close, equal_nan=True)


def test_raw_prices_do_not_depend_on_the_last_day() -> None:
    short, long = _history("BHP.AX", last=date(2020, 6, 30)), _history("BHP.AX")
    assert np.array_equal(short.days, long.days[: len(short.days)])
    for name in ("open", "high", "low", "close", "volume", "split", "dividend"):
        assert np.array_equal(getattr(short, name), getattr(long, name)[: len(short.days)], equal_nan=True)


def test_a_known_price_stays_as_it_is() -> None:
    """Guards the stream itself: whoever changes a draw changes every price of every recorded run."""
    history = _history("SPY", last=date(2005, 1, 5))
    assert np.datetime_as_string(history.days).tolist() == ["2005-01-03", "2005-01-04", "2005-01-05"]
    assert history.close.tolist() == [92.41, 92.1, 91.24]


def test_every_day_is_a_sound_bar(market: dict[str, History]) -> None:
    for ticker, history in market.items():
        known = ~np.isnan(history.close)
        assert np.all(history.low[known] > 0), ticker
        assert np.all(history.low[known] <= np.minimum(history.open, history.close)[known]), ticker
        assert np.all(history.high[known] >= np.maximum(history.open, history.close)[known]), ticker
        assert np.all(np.diff(history.days).astype(int) > 0), ticker
        assert np.all(history.close[known] < 10**8), "NUMERIC(12,4) holds it"


def test_it_has_splits_dividends_gaps_nulls_young_and_delisted_tickers(market: dict[str, History]) -> None:
    last = np.datetime64(_LAST)
    assert sum(np.any(history.split != 1) for history in market.values()) > 50
    assert sum(np.any(history.split < 1) for history in market.values()) > 5, "reverse splits too"
    assert sum(np.any(history.dividend > 0) for history in market.values()) > 100
    assert sum(np.isnan(history.close).any() for history in market.values()) > 50
    gaps = [ticker for ticker, history in market.items() if np.diff(history.days).astype(int).max() > 6]
    assert len(gaps) > 30
    assert market["BBBY"].days[-1] == np.datetime64("2023-05-02")
    assert market["PLTR"].days[0] == np.datetime64("2020-09-30")
    assert market["SPY"].days[-1] == last


def test_adjusting_takes_splits_and_dividends_out(market: dict[str, History]) -> None:
    """On the day of a split the raw price jumps by its ratio, and the adjusted one moves like on any other day."""
    checked = 0
    for history in market.values():
        adjusted = history.close * history.full_factor
        for day in np.flatnonzero(history.split != 1):
            if day and not np.isnan(history.close[[day - 1, day]]).any():
                raw_step = history.close[day] / history.close[day - 1] * history.split[day]
                step = adjusted[day] / adjusted[day - 1]
                assert step == pytest.approx(raw_step, rel=1e-6)
                assert 0.7 < step < 1.4
                checked += 1
        assert adjusted[-1] == pytest.approx(history.close[-1], nan_ok=True)
    assert checked > 50


def test_a_dividend_lowers_what_came_before_by_its_share() -> None:
    history = _history("TLT")
    factor = history.full_factor
    paid = int(np.flatnonzero(history.dividend > 0)[-1])
    share = history.dividend[paid] / history.close[paid - 1]
    assert factor[paid - 1] == pytest.approx(1 - share)
    assert factor[paid] == 1


def test_shares_of_one_exchange_move_together(market: dict[str, History]) -> None:
    def returns(ticker: str) -> np.ndarray:
        history = market[ticker]
        return np.diff(np.log(history.close * history.full_factor))

    stocks, bonds = returns("SPY"), returns("SHY")
    others = returns("QQQ")
    known = ~np.isnan(stocks) & ~np.isnan(others)
    assert np.corrcoef(stocks[known], others[known])[0, 1] > 0.6
    assert abs(np.nanmean(stocks) - np.nanmean(bonds)) < 0.002
    assert np.nanstd(bonds) < np.nanstd(stocks) / 2


def test_what_is_not_listed_yet_is_unknown() -> None:
    assert Market(last_day=date(2020, 1, 1)).find("PLTR") is None
    assert Market(last_day=_LAST).find("PLTR") is not None
    assert Market(last_day=_LAST).find("NOPE") is None
