"""Backtests and the price cache of the reference application, on a market that a small server tells."""

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.seed import write_seed_database

_ROOT = Path(__file__).resolve().parents[2]
_DAY_S = 86400
_START = 1672531200  # 2023-01-01 in UTC
_DAYS = 400

if not (_ROOT / ".venv-legacy" / "bin" / "python").exists():
    pytest.skip("the reference application's environment is absent: run `make install`", allow_module_level=True)


def _closes(ticker: str) -> list[float]:
    # Each ticker grows by its own steady rate with a swing of its own.
    rate = 1 + (sum(map(ord, ticker)) % 7) / 10000
    swing = 1 + len(ticker) / 100
    return [100 * rate**day * (swing if day % 2 else 1) for day in range(_DAYS)]


class _Market(BaseHTTPRequestHandler):
    """Yahoo's chart and Tiingo's daily prices; tickers that start with X are unknown."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = parts.path.split("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/v8/finance/chart/") and not asked[-1].startswith("X"):
            self._answer(_chart(asked[-1], int(query["period1"]), int(query["period2"])))
        elif parts.path.startswith("/tiingo/daily/") and not asked[3].startswith("X"):
            self._answer(_daily(asked[3]))
        else:
            self.send_error(404)

    def _answer(self, body: Any) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


def _chart(ticker: str, start: int, end: int) -> Any:
    days = [day for day in range(_DAYS) if start <= _START + day * _DAY_S < end]
    closes = [_closes(ticker)[day] for day in days]
    indicators = {"quote": [{"open": closes, "close": closes}], "adjclose": [{"adjclose": closes}]}
    stamps = [_START + day * _DAY_S + 52200 for day in days]
    return {"chart": {"result": [{"meta": {"gmtoffset": -18000}, "timestamp": stamps, "indicators": indicators}]}}


def _daily(ticker: str) -> Any:
    days = pd.date_range("2023-01-01", periods=_DAYS).strftime("%Y-%m-%dT00:00:00.000Z")
    return [{"date": day, "adjOpen": 1.0, "adjClose": close} for day, close in zip(days, _closes(ticker), strict=True)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSystem]:
    market = ThreadingHTTPServer(("127.0.0.1", 0), _Market)
    thread = threading.Thread(target=market.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{market.server_port}"
    root = tmp_path_factory.mktemp("legacy")
    (root / "data").mkdir()
    write_seed_database(root / "data" / "trades.db")
    more = {"SPX500_LIST_URL": f"{address}/none", "TIINGO_INSTALLED": "true", "TIINGO_API_KEY": "k"}
    legacy = EmbeddedSystem(
        EmbeddedSettings(app_root=root, yahoo_base_url=address, tiingo_base_url=address, environment=more)
    )
    asyncio.run(legacy.start())
    yield legacy
    asyncio.run(legacy.stop())
    market.shutdown()
    market.server_close()
    thread.join()


def _call(system: EmbeddedSystem, url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(system.url + url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _backtest(system: EmbeddedSystem, name: str, **changes: Any) -> Any:
    body = {
        "strategy_name": name,
        "start_date": "2023-01-01",
        "end_date": "2024-02-01",
        "tickers": ["AA", "BBB", "CCCC", "TLT"],
    }
    _call(system, "/api/strategies/run", body | changes)
    return _call(system, f"/api/strategies/{name}/results")


def test_a_backtest_weighs_by_inverse_volatility_and_writes_its_results(system: EmbeddedSystem) -> None:
    results = _backtest(system, "HRP", initial_capital=1000)
    closes = pd.DataFrame({name: _closes(name) for name in ("AA", "BBB", "CCCC", "TLT")})
    returns = closes.iloc[:396].pct_change().dropna()
    inverse = 1 / returns.std()
    weights = (inverse / inverse.sum()).clip(0.02, 0.30)
    weights /= weights.sum()
    assert results["weights"] == pytest.approx(weights.to_dict())
    equity = float((1 + (returns * weights).sum(axis=1)).prod())
    assert results["final_value"] == pytest.approx(1000 * equity)
    assert results["metrics"]["Total Return"] == f"{equity - 1:.2%}"
    assert set(results) == {
        "backtest_id", "strategy_name", "completed_at", "config", "metrics", "final_value", "weights", "execution_time",
    }  # fmt: skip
    assert json.loads((system.results_directory / "HRP_results.json").read_text()) == results
    assert _call(system, "/api/strategies/HRP/status")["status"] == "completed"


def test_a_single_signal_means_equal_weights(system: EmbeddedSystem) -> None:
    assert set(_backtest(system, "Dual_Momentum")["weights"].values()) == {0.25}


def test_any_other_method_weighs_everything_by_inverse_volatility(system: EmbeddedSystem) -> None:
    by_name = _backtest(system, "Dual_Momentum", optimization_method="EqualWeight")["weights"]
    assert by_name == pytest.approx(_backtest(system, "HRP")["weights"])


def test_names_that_the_pipeline_does_not_know_fail_after_the_prices(system: EmbeddedSystem) -> None:
    assert set(_backtest(system, "Momentum")) == {"error"}
    assert _call(system, "/api/strategies/Momentum/status")["status"].startswith("failed: Invalid parameter: ")


@pytest.mark.parametrize("changes", [{"tickers": ["XX"]}, {"start_date": "not-a-date"}, {"start_date": "2030-01-01"}])
def test_no_prices_is_the_one_error(system: EmbeddedSystem, changes: dict[str, Any]) -> None:
    assert _backtest(system, "HRP", **changes) == {"error": "Invalid parameter: Failed to fetch price data"}


def test_the_cache_is_wide_snappy_and_extended_by_absent_columns_alone(system: EmbeddedSystem) -> None:
    answer = _call(system, "/api/data/refresh", {"tickers": ["SPY", "CBA.AX"]})
    assert answer["tickers_refreshed"] == 2
    _call(system, "/health")  # the refresh runs on the event loop, so this answer comes after it
    path = system.cache_directory / "us_prices_close.parquet"
    first = pd.read_parquet(path)
    assert set(first.columns) == {"SPY", "CBA.AX"}
    assert (first.index.name, str(first.index.dtype), first.columns.name) == ("Date", "datetime64[ns]", "Ticker")
    assert first["SPY"].tolist() == _closes("SPY")
    _call(system, "/api/data/refresh", {"tickers": ["QQQ", "SPY"]})
    _call(system, "/health")
    assert set(pd.read_parquet(path).columns) == {"SPY", "CBA.AX", "QQQ"}
    _call(system, "/api/data/refresh", {"tickers": ["QQQ"], "force": True})
    _call(system, "/health")
    assert list(pd.read_parquet(path).columns) == ["QQQ"]
    assert _call(system, "/api/data/status")["us_tickers_cached"] == 2
