"""The market's HTTP server speaks Tiingo's and Yahoo's formats, and fails as it is told to."""

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from legacy_adapter.local_market import LocalMarket, MarketSettings
from legacy_adapter.market.listings import load_listings
from legacy_adapter.market.prices import generate_history

_LAST = date(2026, 1, 30)
_SEED = 7


def _start(directory: Path, **faults: float) -> LocalMarket:
    settings = MarketSettings(log_path=directory / "market.log", seed=_SEED, last_day=_LAST, faults=faults)
    market = LocalMarket(settings)
    asyncio.run(market.start())
    return market


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMarket]:
    started = _start(tmp_path_factory.mktemp("market"))
    yield started
    asyncio.run(started.stop())


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMarket]:
    faults = {"throttled_ratio": 0.2, "error_ratio": 0.2, "truncated_ratio": 0.2, "retry_after_s": 3}
    started = _start(tmp_path_factory.mktemp("failing"), **faults)
    yield started
    asyncio.run(started.stop())


def _get(market: LocalMarket, target: str, client: str = "test", **headers: str) -> tuple[int, Any, dict[str, str]]:
    host, _, prefix = market.url_for(client).removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("GET", f"/{prefix}{target}", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), dict(answer.getheaders())
    finally:
        connection.close()


def _stamp(*day: int) -> int:
    return int(datetime(*day, tzinfo=UTC).timestamp())  # type: ignore[arg-type]


def _chart(market: LocalMarket, ticker: str, query: str) -> Any:
    status, document, _ = _get(market, f"/v8/finance/chart/{ticker}?{query}")
    assert (status, document["chart"]["error"]) == (200, None)
    (result,) = document["chart"]["result"]
    return result


@pytest.mark.parametrize(
    ("ticker", "opened", "offset"),
    [
        ("SPY", [(2026, 1, 5, 14, 30), (2026, 1, 6, 14, 30)], -18000),
        ("BHP.AX", [(2026, 1, 4, 23), (2026, 1, 5, 23)], 39600),
    ],
)
def test_yahoos_days_open_when_the_exchange_does(
    market: LocalMarket, ticker: str, opened: list[tuple[int, ...]], offset: int
) -> None:
    period = f"period1={_stamp(2026, 1, 4, 12)}&period2={_stamp(2026, 1, 6, 22)}&interval=1d"
    result = _chart(market, ticker, period)
    assert result["timestamp"] == [_stamp(*at) for at in opened]
    assert result["meta"]["gmtoffset"] == offset
    assert {len(values) for values in result["indicators"]["quote"][0].values()} == {2}


def test_yahoos_quotes_are_in_shares_of_today_and_its_adjclose_without_dividends(market: LocalMarket) -> None:
    ticker = next(name for name in load_listings() if np.any(_history(name).split[300:] != 1) and not _is_short(name))
    history = _history(ticker)
    result = _chart(market, ticker, "range=max&events=div,splits")
    quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]["adjclose"]
    assert quote["close"][0] == pytest.approx(history.close[0] * history.split_factor[0])
    assert adjusted[0] == pytest.approx(history.close[0] * history.full_factor[0], abs=1e-5)
    assert len(result["events"]["splits"]) == np.count_nonzero(history.split != 1)
    for told in result["events"]["splits"].values():
        assert told["splitRatio"] == f"{told['numerator']:g}:{told['denominator']:g}"


def test_a_null_day_is_null_at_yahoo_and_absent_at_tiingo(market: LocalMarket) -> None:
    ticker = next(name for name in load_listings() if np.isnan(_history(name).close).any() and not name.endswith(".AX"))
    day = str(_history(ticker).days[np.isnan(_history(ticker).close)][0])
    quote = _chart(market, ticker, "range=max")["indicators"]["quote"][0]
    assert None in quote["close"]
    assert quote["close"].count(None) == quote["volume"].count(None) == np.isnan(_history(ticker).close).sum()
    _, rows, _ = _get(market, f"/tiingo/daily/{ticker}/prices?startDate={day}&endDate={day}&token=x")
    assert rows == []


def test_tiingo_gives_raw_and_adjusted_prices_of_both_ends(market: LocalMarket) -> None:
    target = "/tiingo/daily/spy/prices?startDate=2026-01-28&endDate=2026-01-30"
    status, rows, _ = _get(market, target, Authorization="Token x")
    assert status == 200
    assert [row["date"] for row in rows] == [f"2026-01-{day}T00:00:00.000Z" for day in (28, 29, 30)]
    assert list(rows[0]) == [
        "date", "close", "high", "low", "open", "volume",
        "adjClose", "adjHigh", "adjLow", "adjOpen", "adjVolume", "divCash", "splitFactor",
    ]  # fmt: skip
    assert rows[-1]["close"] == rows[-1]["adjClose"] == _history("SPY").close[-1]
    assert isinstance(rows[0]["volume"], int)
    assert _get(market, "/tiingo/daily/SPY/prices?token=x")[1] == rows[-1:]


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        ("/v8/finance/chart/NOPE?range=1d", 404, "No data found, symbol may be delisted"),
        ("/v8/finance/chart/SPY?interval=1m", 422, "interval"),
        ("/v8/finance/chart/SPY?period1=x", 400, "period1"),
        ("/v8/finance/chart/SPY?range=9y", 422, "range"),
        ("/tiingo/daily/SPY/prices", 403, "token"),
        ("/tiingo/daily/BHP.AX/prices?token=x", 404, "Ticker 'BHP.AX' not found"),
        ("/tiingo/daily/SPY/prices?token=x&startDate=yesterday", 400, "startDate"),
        ("/constituents.csv", 404, "Not found"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_the_sources_own_form(
    market: LocalMarket, target: str, status: int, text: str
) -> None:
    answered, document, _ = _get(market, target)
    assert answered == status
    assert text in json.dumps(document)


def test_after_its_last_day_a_delisted_ticker_has_no_lists(market: LocalMarket) -> None:
    after = _chart(market, "BBBY", f"period1={_stamp(2024, 1, 1)}&period2={_stamp(2025, 1, 1)}")
    assert "timestamp" not in after
    assert after["indicators"] == {"quote": [{}], "adjclose": [{}]}
    assert _get(market, "/tiingo/daily/BBBY/prices?startDate=2024-01-01&token=x")[1] == []


def _fates(market: LocalMarket, client: str) -> list[object]:
    found: list[object] = []
    for number in range(60):
        try:
            status, _, headers = _get(market, f"/v8/finance/chart/SPY?range=5d&x={number}", client)
        except http.client.IncompleteRead as cut:
            assert cut.expected
            found.append("truncated")
            continue
        found.append(status)
        assert (headers.get("Retry-After") == "3") is (status == 429)
    return found


def test_faults_are_as_frequent_as_asked_and_the_same_for_every_client(failing: LocalMarket) -> None:
    first, second = _fates(failing, "legacy"), _fates(failing, "target")
    assert first == second
    counts = Counter("error" if isinstance(fate, int) and fate >= 500 else fate for fate in first)
    assert set(counts) == {200, 429, "error", "truncated"}
    assert all(4 <= count <= 36 for count in counts.values())


def test_asking_again_after_a_fault_succeeds_in_the_end(failing: LocalMarket) -> None:
    for number in range(20):
        answers = []
        for _ in range(12):
            try:
                answers.append(_get(failing, f"/v8/finance/chart/SPY?range=5d&y={number}")[0])
            except http.client.IncompleteRead:
                answers.append(0)
        assert 200 in answers


def test_a_client_can_be_shown_what_it_asked_for(market: LocalMarket) -> None:
    address = urlsplit(market.url_for("curious"))
    for path in ("/v8/finance/chart/SPY?range=5d", "/tiingo/daily/QQQ/prices?startDate=2026-01-05"):
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        connection.request("GET", address.path + path)
        connection.getresponse().read()
        connection.close()
    assert asyncio.run(market.asked("curious")) == (
        "/v8/finance/chart/SPY?range=5d",
        "/tiingo/daily/QQQ/prices?startDate=2026-01-05",
    )
    assert asyncio.run(market.asked("nobody")) == ()


def test_latency_is_added_to_every_answer(tmp_path: Path) -> None:
    slow = _start(tmp_path, latency_ms=200)
    try:
        began = datetime.now(UTC)
        _get(slow, "/v8/finance/chart/SPY?range=5d")
        assert (datetime.now(UTC) - began).total_seconds() >= 0.2
    finally:
        asyncio.run(slow.stop())


def _history(ticker: str) -> Any:
    return generate_history(load_listings()[ticker], seed=_SEED, last_day=_LAST)


def _is_short(ticker: str) -> bool:
    return len(_history(ticker).days) < 3000 or bool(np.isnan(_history(ticker).close[0]))
