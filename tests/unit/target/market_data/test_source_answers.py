"""What is read of Tiingo's and Yahoo's answers, and what is rejected."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target.market_data import tiingo, yahoo
from target.market_data.bars import DailyBar, FailureClass, Source, TickerOutcome
from target.market_data.rows import Malformed
from target.market_data.sources import source_of

FIRST, LAST = date(2026, 1, 5), date(2026, 1, 9)
ROW: dict[str, Any] = {
    "date": "2026-01-05T00:00:00.000Z",
    "open": 10.0,
    "high": 12.5,
    "low": 9.5,
    "close": 12,
    "volume": 1000,
    "adjOpen": 5.0,
    "adjClose": 6.0,
}


def of_tiingo(*rows: object) -> TickerOutcome:
    return tiingo.read_prices("SPY", list(rows), FIRST, LAST)


def stamp(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())  # type: ignore[arg-type]


def chart(stamps: list[Any], *, offset: Any = 39_600, **changed: list[Any]) -> dict[str, Any]:
    """Yahoo's answer for an exchange eleven hours ahead of UTC, as Sydney is in January."""
    columns = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5}
    quote = {name: changed.get(name, [value] * len(stamps)) for name, value in columns.items()}
    adjusted = changed.get("adjclose", [5.5] * len(stamps))
    indicators = {"quote": [quote], "adjclose": [{"adjclose": adjusted}]}
    result = {"meta": {"gmtoffset": offset}, "timestamp": stamps, "indicators": indicators}
    return {"chart": {"result": [result], "error": None}}


def of_yahoo(document: object) -> TickerOutcome:
    return yahoo.read_chart("BHP.AX", document, FIRST, LAST)


@pytest.mark.parametrize("ticker", ["BHP.AX", "^VIX", "^GSPC", "^DJI", "^IXIC", "BTC-USD", "BTC-AUD", "ETH-USD"])
def test_australia_indices_and_coins_are_asked_from_yahoo(ticker: str):
    assert source_of(ticker) is Source.YFINANCE


@pytest.mark.parametrize("ticker", ["SPY", "bhp.ax", "BRK-B", "VIX", "ETH-AUD", ".AX.US"])
def test_all_else_is_asked_from_tiingo_and_case_matters(ticker: str):
    assert source_of(ticker) is Source.TIINGO


def test_a_day_of_tiingo_is_read_raw_and_adjusted():
    assert of_tiingo(ROW).bars == (DailyBar(FIRST, 10.0, 12.5, 9.5, 12.0, 1000, 6.0, 5.0, Source.TIINGO),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"close": None}, "close is missing"),
        ({"open": "10"}, "open is no number"),
        ({"open": True}, "open is no number"),
        ({"low": float("nan")}, "low is not finite"),
        ({"high": float("inf")}, "high is not finite"),
        ({"low": -1.0}, "low is not above zero"),
        ({"close": 0}, "close is not above zero"),
        ({"low": 1e-9}, "low is out of range"),
        ({"high": 1e12}, "high is out of range"),
        ({"low": 11.0}, "low is above another price"),
        ({"high": 11.0}, "high is below another price"),
        ({"volume": -1}, "volume is negative"),
        ({"volume": float("nan")}, "volume is not finite"),
        ({"volume": 2**63}, "volume is out of range"),
        ({"volume": None}, "volume is missing"),
        ({"adjClose": -6.0}, "adjClose is not above zero"),
    ],
)
def test_an_impossible_row_is_rejected_with_its_reason_and_its_neighbours_are_kept(change: dict[str, Any], reason: str):
    outcome = of_tiingo(ROW | change, ROW | {"date": "2026-01-06"})
    assert [bar.date.day for bar in outcome.bars] == [6]
    assert [tuple(row) for row in outcome.rejected] == [(FIRST, reason)]
    assert outcome.failure is None


def test_a_tiny_adjusted_price_is_kept_since_many_splits_lead_there():
    assert of_tiingo(ROW | {"adjClose": 1e-9, "adjOpen": None}).bars[0][6:8] == (1e-9, None)


def test_a_contradiction_below_what_is_stored_is_the_sources_noise():
    assert of_tiingo(ROW | {"high": 12.0, "close": 12.00001}).bars[0].high == 12.0


def test_a_ticker_with_nothing_but_impossible_rows_has_failed():
    outcome = of_tiingo(ROW | {"close": None}, {"date": "never"}, "text", {})
    assert (outcome.failure, outcome.bars) == (FailureClass.MALFORMED, ())
    assert len(outcome.rejected) == 4


def test_no_row_at_all_is_empty():
    assert of_tiingo().failure is FailureClass.EMPTY


def test_days_that_nobody_asked_for_are_left_out_and_a_day_counts_once():
    days = ["2026-01-09", "2026-01-06", "2026-01-10", "2026-01-04", "2026-01-06"]
    outcome = of_tiingo(*(ROW | {"date": day, "volume": number} for number, day in enumerate(days)))
    assert [(bar.date.day, bar.volume) for bar in outcome.bars] == [(6, 1), (9, 0)]
    assert [tuple(row) for row in outcome.rejected] == [(date(2026, 1, 6), "the date comes twice")]


@pytest.mark.parametrize("document", [{}, None, "x", 3, {"detail": "Not found."}])
def test_an_answer_that_is_no_list_is_malformed(document: object):
    with pytest.raises(Malformed):
        tiingo.read_prices("SPY", document, FIRST, LAST)


def test_a_session_that_opens_on_the_eve_of_utc_belongs_to_its_own_day():
    outcome = of_yahoo(chart([stamp(2026, 1, 4, 23), stamp(2026, 1, 5, 23), stamp(2026, 1, 9, 23)]))
    assert [bar.date for bar in outcome.bars] == [date(2026, 1, 5), date(2026, 1, 6)]
    assert outcome.bars[0] == DailyBar(FIRST, 10.0, 12.0, 9.0, 11.0, 5, 5.5, 5.0, Source.YFINANCE)


def test_yahoo_is_asked_for_a_day_more_on_both_sides():
    query = yahoo.query_of(FIRST, LAST)
    assert (int(query["period1"]), int(query["period2"])) == (stamp(2026, 1, 4), stamp(2026, 1, 11))


def test_a_day_of_which_yahoo_knows_nothing_is_no_row_and_half_a_day_is_rejected():
    stamps = [stamp(2026, 1, 4, 23), stamp(2026, 1, 5, 23), stamp(2026, 1, 6, 23)]
    nulls = {name: [None, 10.0, 10.0] for name in ("open", "high", "low")}
    outcome = of_yahoo(
        chart(stamps, **nulls, close=[None, None, 10.0], volume=[None, 1, 1], adjclose=[None, None, 5.0])
    )
    assert [bar.date.day for bar in outcome.bars] == [7]
    assert [tuple(row) for row in outcome.rejected] == [(date(2026, 1, 6), "close is missing")]


def test_a_range_without_trading_is_empty():
    document = {"chart": {"result": [{"meta": {"gmtoffset": 0}, "indicators": {"quote": [{}]}}], "error": None}}
    assert of_yahoo(document).failure is FailureClass.EMPTY


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"chart": {"result": None, "error": {"code": "Not Found"}}},
        {"chart": {"result": []}},
        chart([1], offset=None),
        chart([1], offset=10**6),
        chart([1, 2], close=[1.0]),
        chart([1], volume={"a": 1}),  # type: ignore[arg-type]
        {"chart": {"result": [{"meta": {"gmtoffset": 0}, "timestamp": [1], "indicators": {}}]}},
    ],
)
def test_an_answer_that_is_no_chart_is_malformed(document: object):
    with pytest.raises(Malformed):
        of_yahoo(document)


@pytest.mark.parametrize("time", [None, "1", -1, 10**15, 1.5])
def test_an_unreadable_time_is_rejected(time: object):
    assert of_yahoo(chart([time])).rejected[0].reason == "the row has no readable time"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(ROW)), inner, max_size=9),
    max_leaves=20,
)


@given(_JSON)
def test_whatever_a_source_answers_leads_to_an_outcome_or_is_malformed(document: object):
    for read, answer in ((tiingo.read_prices, document), (yahoo.read_chart, chart([document, stamp(2026, 1, 5)]))):
        try:
            outcome = read("SPY", answer, FIRST, LAST)
        except Malformed:
            continue
        assert bool(outcome.bars) != bool(outcome.failure)
        assert all(bar.low <= bar.close <= bar.high for bar in outcome.bars)


def test_what_python_writes_of_a_price_is_what_is_read():
    assert of_tiingo(json.loads(json.dumps(ROW | {"close": 12.345678}))).bars[0].close == 12.345678
