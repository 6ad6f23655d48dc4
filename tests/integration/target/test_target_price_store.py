"""The price cache as a whole: what it asks the market for, and what it keeps."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from target.errors import MarketUnavailable
from target.market_data.bars import FailureClass, FetchOutcome
from target.storage.coverage import RECHECK_AFTER
from target.storage.objects import UnreadableObject
from target.storage.price_field import PriceField
from target.storage.price_generation import FILES
from tests.builders.fake_market import FakeMarket
from tests.builders.price_world import ALWAYS_TRADED, START, TODAY, Dying, World, last_final


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "cache")


async def test_a_first_load_fetches_all_of_it_and_a_second_nothing(world: World) -> None:
    table = await world.store().load_closes(["SPY", "BHP.AX"], START)
    assert world.asked() == [(("SPY", "BHP.AX"), START, TODAY)]
    assert table.tickers == ("SPY", "BHP.AX")
    assert table.dates.tolist() == ALWAYS_TRADED
    assert table.column("SPY").tolist() == [world.market.close("SPY", day) for day in ALWAYS_TRADED]
    assert await world.store().load_closes(["SPY", "BHP.AX"], START) == table
    assert world.asked() == []


async def test_opens_come_with_the_closes(world: World) -> None:
    closes = await world.store().load_closes(["SPY"], START)
    opens = await world.store().load_closes(["SPY"], START, field="open")
    assert world.asked() == [(("SPY",), START, TODAY)]
    assert np.array_equal(opens.values, closes.values + 0.5)


async def test_only_missing_tickers_are_fetched(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    world.asked()
    await world.store().load_closes(["SPY", "QQQ"], START)
    assert world.asked() == [(("QQQ",), START, TODAY)]


async def test_only_missing_days_are_fetched_with_one_known_day(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    world.asked()
    world.now += timedelta(days=4)
    table = await world.store().load_closes(["SPY"], START)
    assert world.asked() == [(("SPY",), last_final(TODAY), world.now.date())]
    assert table.dates[-1].item() == world.now.date()


async def test_earlier_days_than_cached_are_fetched_too(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    world.asked()
    table = await world.store().load_closes(["SPY"], date(2025, 12, 1))
    assert world.asked() == [(("SPY",), date(2025, 12, 1), START)]
    assert table.dates[0].item() == date(2025, 12, 1)


async def test_days_on_both_sides_are_two_questions(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    world.asked()
    world.now += timedelta(days=4)
    table = await world.store().load_closes(["SPY"], date(2025, 12, 1))
    assert world.asked() == [(("SPY",), date(2025, 12, 1), START), (("SPY",), last_final(TODAY), world.now.date())]
    assert table.column("SPY").tolist() == [world.market.close("SPY", day) for day in table.dates.tolist()]
    world.asked()
    await world.store().load_closes(["SPY"], date(2025, 12, 1))
    assert world.asked() == []


async def test_the_asked_range_is_what_is_returned(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    table = await world.store().load_closes(["SPY"], date(2026, 2, 2), date(2026, 2, 6))
    assert [day.day for day in table.dates.tolist()] == [2, 3, 4, 5, 6]


async def test_days_on_which_no_asked_ticker_trades_are_left_out(world: World) -> None:
    world.market.listed_on = date(2026, 3, 2)
    await world.store().load_closes(["NEW"], START)
    world.market.listed_on = date(2000, 1, 3)
    await world.store().load_closes(["SPY"], START)
    assert (await world.store().read_cached(["NEW"])).dates[0].item() == date(2026, 3, 2)


async def test_days_before_a_listing_are_asked_for_once(world: World) -> None:
    world.market.listed_on = date(2026, 3, 2)
    await world.store().load_closes(["NEW"], START)
    world.asked()
    await world.store().load_closes(["NEW"], START)
    assert world.asked() == []


async def test_an_unknown_ticker_has_an_empty_column_and_is_asked_for_once(world: World) -> None:
    world.market.failing["NONE"] = FailureClass.UNKNOWN_TICKER
    table = await world.store().load_closes(["SPY", "NONE"], START)
    assert np.isnan(table.column("NONE")).all() and not np.isnan(table.column("SPY")).any()
    world.asked()
    await world.store().load_closes(["SPY", "NONE"], START)
    assert world.asked() == []


async def test_a_failure_that_may_pass_keeps_what_is_cached_and_is_tried_again(world: World) -> None:
    before = await world.store().load_closes(["SPY"], START)
    world.now += timedelta(days=4)
    world.market.failing["SPY"] = FailureClass.THROTTLED
    refreshed = await world.store().refresh(["SPY"], START)
    assert (refreshed.answered, refreshed.failures) == ((), {"SPY": FailureClass.THROTTLED})
    assert await world.store().read_cached(["SPY"]) == before
    world.market.failing.clear()
    world.asked()
    await world.store().load_closes(["SPY"], START)
    assert len(world.asked()) == 1


async def test_prices_that_nobody_has_now_are_not_taken_for_none(world: World) -> None:
    world.market.failing |= {"QQQ": FailureClass.TIMEOUT, "NONE": FailureClass.UNKNOWN_TICKER}
    with pytest.raises(MarketUnavailable, match=r"cached of QQQ, .*\(timeout\)"):
        await world.store().load_closes(["SPY", "QQQ", "NONE"], START)
    assert not np.isnan((await world.store().read_cached(["SPY"])).values).any()


async def test_after_a_dividend_the_whole_history_is_fetched_again(world: World) -> None:
    await world.store().load_closes(["SPY", "QQQ"], START)
    world.now += timedelta(days=4)
    world.market.scale = 0.98
    world.asked()
    table = await world.store().load_closes(["SPY"], START)
    assert world.asked() == [(("SPY",), last_final(TODAY), world.now.date()), (("SPY",), START, world.now.date())]
    assert table.column("SPY").tolist() == [world.market.close("SPY", day) for day in table.dates.tolist()]


async def test_a_history_that_cannot_be_had_after_a_dividend_leaves_the_old_one_whole(world: World) -> None:
    before = await world.store().load_closes(["SPY"], START)
    world.now += timedelta(days=4)
    world.market.scale = 0.98
    answer = world.market.fetch_daily

    async def fail_second(tickers: Sequence[str], start: date, end: date) -> FetchOutcome:
        if start == START:
            world.market.failing["SPY"] = FailureClass.TIMEOUT
        return await answer(tickers, start, end)

    world.market.fetch_daily = fail_second  # type: ignore[method-assign,assignment]
    assert await world.store().load_closes(["SPY"], START) == before


async def test_a_forced_refresh_asks_for_everything_again_and_loses_no_other_ticker(world: World) -> None:
    await world.store().load_closes(["SPY", "QQQ"], START)
    world.market.scale = 2.0
    world.asked()
    await world.store().refresh(["SPY"], date(2026, 3, 2), force=True)
    assert world.asked() == [(("SPY",), START, TODAY)]
    table = await world.store().read_cached(["SPY", "QQQ"])
    ratio = table.values / [[world.market.close(ticker, day) for ticker in table.tickers] for day in ALWAYS_TRADED]
    assert np.unique(ratio[:, 0]).tolist() == [1.0] and np.unique(ratio[:, 1]).tolist() == [0.5]


async def test_open_days_are_asked_for_again_after_a_while_and_only_then(world: World) -> None:
    await world.store().load_closes(["SPY"], START)
    world.asked()
    world.now += RECHECK_AFTER - timedelta(seconds=1)
    await world.store().load_closes(["SPY"], START)
    assert world.asked() == []
    world.now += timedelta(seconds=1)
    await world.store().load_closes(["SPY"], START)
    assert [call[1:] for call in world.asked()] == [(last_final(TODAY), TODAY)]


async def test_many_tickers_come_in_lots_each_of_which_is_cached(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target.storage.prices._TICKERS_AT_ONCE", 2)
    names = ["A", "B", "C", "D", "E"]
    answer = world.market.fetch_daily

    async def fail_third(tickers: Sequence[str], start: date, end: date) -> FetchOutcome:
        if "E" in tickers:
            raise Dying
        return await answer(tickers, start, end)

    world.market.fetch_daily = fail_third  # type: ignore[method-assign,assignment]
    with pytest.raises(Dying):
        await world.store().refresh(names, START)
    world.market.fetch_daily = answer  # type: ignore[method-assign]
    world.asked()
    assert not np.isnan((await world.store().load_closes(names, START)).values).any()
    assert world.asked() == [(("E",), START, TODAY)]


async def test_days_to_come_are_not_asked_for(world: World) -> None:
    await world.store().load_closes(["SPY"], TODAY + timedelta(days=1), TODAY + timedelta(days=9))
    assert world.asked() == []
    await world.store().refresh(["SPY"], TODAY + timedelta(days=1), force=True)
    assert world.asked() == []
    await world.store().load_closes(["SPY"], START, date(2030, 1, 1))
    assert world.asked() == [(("SPY",), START, TODAY)]


async def test_hits_misses_and_bytes_are_counted(world: World) -> None:
    store = world.store()
    await store.load_closes(["SPY", "QQQ"], START)
    assert (store.counters.hits, store.counters.misses, store.counters.read_bytes) == (0, 2, 0)
    assert store.counters.written_bytes >= sum((world.root / name).stat().st_size for name in FILES.values())
    other = world.store()
    await other.load_closes(["SPY", "QQQ"], START)
    read = other.counters.read_bytes
    assert (other.counters.hits, other.counters.misses) == (2, 0)
    assert read > 0
    await other.load_closes(["QQQ"], START)
    assert (other.counters.hits, other.counters.read_bytes) == (3, read)
    assert other.counters.reused > 0


class TestLegacyFiles:
    """The layout that the legacy leaves behind, and finds again."""

    @staticmethod
    def frame(tickers: Sequence[str], days: Sequence[date], market: FakeMarket, offset: float) -> pd.DataFrame:
        values = {ticker: [market.close(ticker, day) + offset for day in days] for ticker in tickers}
        frame = pd.DataFrame(values, index=pd.DatetimeIndex(list(days), name="Date").as_unit("ns"))
        frame.columns.name = "Ticker"
        return frame

    @pytest.fixture
    def legacy(self, world: World) -> World:
        """A cache as the legacy's loader wrote it, columns in no order."""
        world.root.mkdir()
        for which, offset in ((PriceField.CLOSE, 0.0), (PriceField.OPEN, 0.5)):
            frame = self.frame(["SPY", "BHP.AX", "QQQ"], ALWAYS_TRADED[:20], world.market, offset)
            frame.to_parquet(world.root / FILES[which], compression="snappy")
        return world

    async def test_it_is_read_without_asking_anybody(self, legacy: World) -> None:
        table = await legacy.store().load_closes(["SPY", "QQQ"], ALWAYS_TRADED[0], ALWAYS_TRADED[18])
        assert legacy.asked() == []
        assert table.column("QQQ").tolist() == [legacy.market.close("QQQ", day) for day in ALWAYS_TRADED[:19]]

    async def test_it_is_read_once_by_a_process(self, legacy: World) -> None:
        store = legacy.store()
        await store.read_cached(["SPY"])
        read = store.counters.read_bytes
        await store.read_cached(["QQQ"], field="open")
        assert store.counters.read_bytes == read > 0

    async def test_its_present_columns_are_extended(self, legacy: World) -> None:
        table = await legacy.store().load_closes(["SPY"], START)
        assert legacy.asked() == [(("SPY",), ALWAYS_TRADED[18], TODAY)]
        assert table.dates.tolist() == ALWAYS_TRADED

    async def test_a_refresh_keeps_its_other_columns_and_the_legacy_reads_the_outcome(self, legacy: World) -> None:
        await legacy.store().refresh(["GLD"], START)
        for which, offset in ((PriceField.CLOSE, 0.0), (PriceField.OPEN, 0.5)):
            frame = pd.read_parquet(legacy.root / FILES[which])
            assert list(frame.columns) == ["BHP.AX", "GLD", "QQQ", "SPY"]
            expected = self.frame(["QQQ", "SPY"], ALWAYS_TRADED[:20], legacy.market, offset)
            pd.testing.assert_frame_equal(frame.loc[expected.index, ["QQQ", "SPY"]], expected, check_freq=False)

    async def test_a_file_that_cannot_be_read_is_named_and_left_alone(self, legacy: World) -> None:
        (legacy.root / FILES[PriceField.OPEN]).write_bytes(b"PAR1 but not really")
        with pytest.raises(UnreadableObject, match=r"us_prices_open\.parquet"):
            await legacy.store().refresh(["GLD"], START)
        assert (legacy.root / FILES[PriceField.OPEN]).read_bytes() == b"PAR1 but not really"
        assert legacy.list_keys() == sorted(FILES.values())
