"""Quirks of the reference application that no recording shows, each from a sentence of the contract."""

import asyncio
import http.client
import json
import math
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.adapters.tokens import authorization_header
from legacy_adapter.embedded import EmbeddedSettings, EmbeddedSystem
from legacy_adapter.seed import write_seed_database

_ROOT = Path(__file__).resolve().parents[2]
_SECRET = "the-secret-of-these-tests-which-is-long-enough"
_NOWHERE = "http://127.0.0.1:1"
_TRADE = {
    "trade_id": "Q-1",
    "ticker": "SPY",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 450.5,
    "entry_date": "2024-01-15T10:30:00",
}

if not (_ROOT / ".venv-legacy" / "bin" / "python").exists():
    pytest.skip("the reference application's environment is absent: run `make install`", allow_module_level=True)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def detail(self) -> Any:
        return self.json["detail"]


class App:
    """The running application and its files."""

    def __init__(self, system: EmbeddedSystem, root: Path) -> None:
        self.system = system
        self.root = root
        self._seed = root / "seed.db"

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        parts = urlsplit(self.system.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None and "content-type" not in given:
            given["content-type"] = "application/json"
        try:
            connection.request(method, url, body, given)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode())
        finally:
            connection.close()

    def get(self, url: str, **headers: str) -> Answer:
        return self.send("GET", url, **headers)

    def create(self, **changes: Any) -> Answer:
        return self.send("POST", "/api/trades/", _TRADE | changes)

    def write(self, name: str, content: Any) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")

    def sql(self, statement: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(self.system.database_path, timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def reset(self) -> None:
        """The seed's rows and no files."""
        source = sqlite3.connect(self._seed)
        target = sqlite3.connect(self.system.database_path, timeout=10)
        source.backup(target)
        source.close()
        target.close()
        for folder in ("reports", "dashboard", "cache"):
            for path in sorted((self.root / folder).rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()

    @property
    def token(self) -> str:
        return authorization_header("valid", _SECRET, datetime.now(UTC))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    root = tmp_path_factory.mktemp("legacy")
    write_seed_database(root / "seed.db")
    system = EmbeddedSystem(
        EmbeddedSettings(
            app_root=root,
            jwt_secret=_SECRET,
            yahoo_base_url=_NOWHERE,
            tiingo_base_url=_NOWHERE,
            environment={"SPX500_LIST_URL": _NOWHERE},
        )
    )
    app = App(system, root)
    app.system.database_path.parent.mkdir(parents=True)
    app.reset()
    asyncio.run(system.start())
    yield app
    asyncio.run(system.stop())


@pytest.fixture
def app(served: App) -> App:
    served.reset()
    return served


# Q1: what is committed and cannot be answered


@pytest.mark.parametrize("ticker", ["   ", "\u3000", "\t\n", "ß" * 11])
def test_a_ticker_that_does_not_fit_its_answer_is_committed_and_poisons_lists(app: App, ticker: str) -> None:
    answer = app.create(ticker=ticker)
    assert answer.status == 400
    assert answer.detail.startswith("1 validation error for TradeResponse\nticker\n  String should have at ")
    assert app.sql("select count(*) from trades where trade_id = 'Q-1'") == [(1,)]
    assert app.get("/api/trades/?page_size=200").status == 500
    assert app.get("/api/trades/?sort_by=id&sort_desc=false&page_size=5").status == 200


def test_finite_extremes_are_stored_and_break_totals(app: App) -> None:
    created = app.create(quantity=1e200, entry_price=1e200)
    assert created.status == 201
    for path in ("portfolio", "dashboard"):
        assert app.get(f"/api/trades/metrics/{path}").detail == "Out of range float values are not JSON compliant"
    closed = app.send("POST", f"/api/trades/{created.json['id']}/close?exit_price=1e300")
    assert closed.status == 500
    assert app.sql("select status from trades where trade_id = 'Q-1'") == [("CLOSED",)]
    assert app.get(f"/api/trades/{created.json['id']}").status == 500
    assert app.send("DELETE", f"/api/trades/{created.json['id']}").status == 204
    assert app.get("/api/trades/metrics/portfolio").status == 200


def test_a_tiny_capital_overflows(app: App) -> None:
    assert app.get("/api/trades/metrics/portfolio?initial_capital=1e-320").status == 500


def test_nul_is_stored_and_a_lone_surrogate_is_500(app: App) -> None:
    answer = app.create(trade_id="a\x00b", notes="c\x00d")
    assert (answer.status, answer.json["trade_id"], answer.json["notes"]) == (201, "a\x00b", "c\x00d")
    surrogate = app.create(trade_id="\ud800")
    assert surrogate.status == 500
    assert "surrogates not allowed" in surrogate.detail


def test_nan_is_500_and_infinity_is_stored(app: App) -> None:
    assert app.create(quantity=float("nan")).status == 500
    assert app.sql("select count(*) from trades where trade_id = 'Q-1'") == [(0,)]
    assert app.create(quantity=float("inf")).status == 500
    assert app.sql("select quantity from trades where trade_id = 'Q-1'") == [(float("inf"),)]


# Lenient and strict parsing


@pytest.mark.parametrize(("text", "number"), [("007", 7), ("+1", 1), ("1.0", 1), ("1_0", 10), ("%201", 1)])
def test_lenient_ids(app: App, text: str, number: int) -> None:
    assert app.get(f"/api/trades/{text}").json["id"] == number


def test_minus_zero_is_zero(app: App) -> None:
    assert app.get("/api/trades/-0").detail == "Trade with ID 0 not found"


@pytest.mark.parametrize("text", ["1.5", "0x1", "1e3", "metrics", "%F0%9F%92%A9"])
def test_other_texts_are_no_ids(app: App, text: str) -> None:
    assert app.get(f"/api/trades/{text}").detail[0]["type"] == "int_parsing"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("APPLICATION/JSON; charset=utf-8", 201),
        ("application/vnd.api+json", 201),
        ("text/plain", 422),
        ("application/x-www-form-urlencoded", 422),
    ],
)
def test_content_types(app: App, content_type: str, status: int) -> None:
    body = json.dumps(_TRADE).encode()
    assert app.send("POST", "/api/trades/", body, **{"content-type": content_type}).status == status


def test_a_byte_order_mark_is_read_over(app: App) -> None:
    assert app.send("POST", "/api/trades/", b"\xef\xbb\xbf" + json.dumps(_TRADE).encode()).status == 201


@pytest.mark.parametrize(
    "text", ["1", "true", "TRUE", "t", "yes", "y", "on", "0", "false", "f", "no", "n", "off", "OFF"]
)
def test_booleans_in_queries(app: App, text: str) -> None:
    ids = [trade["id"] for trade in app.get(f"/api/trades/?sort_by=id&page_size=2&sort_desc={text}").json["trades"]]
    assert ids == ([100, 99] if text.lower() in {"1", "true", "t", "yes", "y", "on"} else [1, 2])


def test_a_repeated_parameter_takes_the_last_and_unknown_ones_are_ignored(app: App) -> None:
    assert app.get("/api/trades/?page_size=2&foo=1&page_size=3").json["page_size"] == 3
    assert app.get("/api/trades/?page_size=0&page_size=3").json["page_size"] == 3


def test_an_empty_ticker_and_strategy_count_as_absent_and_an_empty_date_does_not(app: App) -> None:
    assert app.get("/api/trades/?ticker=&strategy=&status=").json["total"] == 100
    assert app.get("/api/trades/?start_date=").status == 422


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2024-01-15T10:30:00+10:00", "2024-01-15T10:30:00"),
        ("2024-01-15T10:30:00.5-05:00", "2024-01-15T10:30:00.500000"),
        ("2024-01-15", "2024-01-15T00:00:00"),
        (1705314600, "2024-01-15T10:30:00"),
        ("1705314600", "2024-01-15T10:30:00"),
        (1705314600000, "2024-01-15T10:30:00"),
        (1705314600.25, "2024-01-15T10:30:00.250000"),
    ],
)
def test_offsets_are_dropped_and_epochs_are_read(app: App, sent: Any, stored: str) -> None:
    answer = app.create(entry_date=sent)
    assert answer.json["entry_date"] == stored
    assert app.get(f"/api/trades/{answer.json['id']}").json["entry_date"] == stored


# Writes


def test_the_id_of_the_highest_row_is_used_again(app: App) -> None:
    first = app.create().json["id"]
    assert app.send("DELETE", f"/api/trades/{first}").status == 204
    assert app.create().json["id"] == first


def test_an_explicit_null_status_is_committed_and_poisons_the_row(app: App) -> None:
    assert app.send("PATCH", "/api/trades/1", {"status": None}).status == 500
    assert app.sql("select status from trades where id = 1") == [(None,)]
    assert app.get("/api/trades/1").status == 500
    assert app.get("/api/trades/?page_size=200").status == 500
    assert app.get("/api/trades/metrics/portfolio").status == 200


def test_closing_by_patch_never_fills_the_exit_date_and_reopening_keeps_the_gain(app: App) -> None:
    number = app.create().json["id"]
    closed = app.send("PATCH", f"/api/trades/{number}", {"status": "CLOSED", "exit_price": 465.25}).json
    assert (closed["pnl"], closed["pnl_percent"], closed["exit_date"]) == (144.5, 3.2741398446170926, None)
    opened = app.send("PATCH", f"/api/trades/{number}", {"status": "OPEN", "exit_price": None}).json
    assert (opened["pnl"], opened["exit_price"], opened["status"]) == (144.5, None, "OPEN")
    assert app.send("POST", f"/api/trades/{number}/close?exit_price=470").json["exit_date"] is not None


def test_a_sold_position_gains_when_the_price_falls(app: App) -> None:
    number = app.create(direction="SELL", commission=0).json["id"]
    closed = app.send("POST", f"/api/trades/{number}/close?exit_price=400").json
    assert (closed["pnl"], closed["pnl_percent"]) == (505.0, 11.20976692563818)


def test_a_cancelled_trade_cannot_be_closed(app: App) -> None:
    app.send("PATCH", "/api/trades/1", {"status": "CANCELLED"})
    assert app.send("POST", "/api/trades/1/close?exit_price=1").detail == "Trade with ID 1 not found or already closed"


# Order


def test_ties_come_in_the_order_of_the_index_that_sqlite_takes(app: App) -> None:
    for number in range(3):
        app.create(trade_id=f"T{number}", entry_date="2099-01-01", strategy_name="hrp")
    unfiltered = [trade["trade_id"] for trade in app.get("/api/trades/?page_size=3").json["trades"]]
    by_strategy = [trade["trade_id"] for trade in app.get("/api/trades/?page_size=3&strategy=hrp").json["trades"]]
    open_only = [trade["trade_id"] for trade in app.get("/api/trades/?page_size=3&status=OPEN").json["trades"]]
    assert unfiltered == open_only == ["T2", "T1", "T0"]
    assert by_strategy == ["T0", "T1", "T2"]


def test_nulls_sort_lowest_and_text_by_its_bytes(app: App) -> None:
    app.create(trade_id="a", asset_name="ähnlich")
    app.create(trade_id="b", asset_name="zebra")
    app.create(trade_id="c")
    ascending = [
        t["asset_name"] for t in app.get("/api/trades/?sort_by=asset_name&sort_desc=0&page_size=200").json["trades"]
    ]
    assert ascending[0] is None
    assert ascending[-2:] == ["zebra", "ähnlich"]
    assert app.get("/api/trades/?sort_by=asset_name&page_size=200").json["trades"][-1]["asset_name"] is None


# HTTP


def test_slashes_alone_are_the_root(app: App) -> None:
    assert app.get("//").json == app.get("/").json
    assert app.get("/%2F").status == app.get("//health").status == 404


@pytest.mark.parametrize(
    ("method", "url", "allow"),
    [
        ("HEAD", "/health", "GET"),
        ("OPTIONS", "/api/trades/", "POST"),
        ("PUT", "/api/trades/", "POST"),
        ("PUT", "/api/trades/1", "GET"),
        ("GET", "/api/trades/1/close", "POST"),
        ("DELETE", "/api/trades/metrics/portfolio", "GET"),
        ("POST", "/api/universes/", "GET"),
        ("GET", "/api/data/refresh", "POST"),
        ("GET", "/api/scanner/run", "POST"),
    ],
)
def test_405_names_the_verbs_of_the_first_route_alone(app: App, method: str, url: str, allow: str) -> None:
    answer = app.send(method, url)
    assert (answer.status, answer.headers["allow"]) == (405, allow)


def test_redirects_tell_the_host_and_the_forwarded_scheme(app: App) -> None:
    answer = app.send(
        "PATCH", "/api/trades/1/?a=b", Host="somewhere:1", X_Forwarded_Proto="https", X_Forwarded_Host="no"
    )
    assert (answer.status, answer.headers["location"]) == (307, "https://somewhere:1/api/trades/1?a=b")


def test_an_uncaught_exception_closes_the_connection_and_carries_no_cors_headers(app: App) -> None:
    parts = urlsplit(app.system.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(b"GET /api/trades/?status=x HTTP/1.1\r\nHost: h\r\nOrigin: http://localhost:3000\r\n\r\n")
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 500")
    assert b"access-control" not in received.lower()
    assert b'"path":"http://h/api/trades/?status=x"' in received


def test_a_handled_500_keeps_the_connection_and_goes_through_cors(app: App) -> None:
    answer = app.send("POST", "/api/data/refresh", {}, Origin="http://localhost:3000")
    assert (answer.status, answer.json) == (500, {"detail": "Data loader module not available"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


def test_cors_of_a_foreign_origin(app: App) -> None:
    answer = app.get("/health", Origin="http://evil.test")
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in answer.headers
    assert "vary" not in answer.headers


def test_nothing_is_rate_limited(app: App) -> None:
    assert {app.get("/health").status for _ in range(130)} == {200}


def test_the_token_comes_before_the_body_and_malformed_json_before_both(app: App) -> None:
    assert app.send("POST", "/api/scanner/run", {"min_price": "x"}).status == 401
    assert app.send("POST", "/api/scanner/run", b"{bad").status == 422
    assert app.send("POST", "/api/scanner/run", {"min_price": "x"}, Authorization=app.token).status == 422


# Files


def test_results_in_reports_fill_dashboards_under_other_keys(app: App) -> None:
    app.write(
        "reports/HRP_results.json",
        {"metrics": {"CAGR": "15.2%"}, "final_value": 5.0, "weights": {"SPY": 0.6, "TLT": 0.4}},
    )
    app.write("reports/pipeline_results.json", {"strategies": {"Other": {"weights": {"SPY": 1.0}}, "HRP": {}}})
    overview = app.get("/api/dashboard/", Authorization=app.token).json
    assert {row["name"] for row in overview["strategies"]} == {"HRP", "pipeline", "Other"}
    assert overview["summary"]["best_cagr"] == "N/A"
    assert overview["summary"]["best_performer"] == overview["strategies"][0]["name"]
    allocation = app.get("/api/dashboard/allocation").json
    assert allocation["combined_allocation"] == pytest.approx({"SPY": 0.8 / 1.2, "TLT": 0.4 / 1.2})
    assert list(allocation["combined_allocation"]) == ["SPY", "TLT"]
    assert app.get("/api/strategies/HRP").json["has_results"] is True
    assert app.get("/api/strategies/HRP/status").json["has_results"] is False
    row = app.get("/api/strategies/compare/all").json["comparison"][0]
    assert (row["strategy"], row["final_value"], row["cagr"]) == ("HRP", 5.0, "N/A")


def test_the_greatest_cagr_is_named_with_one_decimal(app: App) -> None:
    app.write("reports/A_results.json", {"metrics": {"cagr": "3.0%"}})
    app.write("reports/B_results.json", {"metrics": {"cagr": "15.2%"}})
    summary = app.get("/api/dashboard/", Authorization=app.token).json["summary"]
    assert (summary["best_performer"], summary["best_cagr"]) == ("B", "15.2%")


def test_a_results_file_that_is_a_list_breaks_four_dashboards(app: App) -> None:
    app.write("reports/A_results.json", [])
    for path in ("", "backtest", "comparison", "allocation"):
        assert app.get(f"/api/dashboard/{path}", Authorization=app.token).status == 500


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("quant1", "dashboard/data/quant1_dashboard.json"),
        ("quant2", "dashboard/data/quant2_dashboard.json"),
        ("olmar", "dashboard/data/olmar_dashboard.json"),
        ("backtest", "dashboard/data/comprehensive_backtest.json"),
    ],
)
def test_dashboard_files_are_answered_where_present(app: App, path: str, file: str) -> None:
    app.write(file, {"mark": 1})
    answer = app.get(f"/api/dashboard/{path}").json
    assert (answer["mark"], answer["source"]) == (1, "cached")


def test_the_cache_is_counted_by_file_names(app: App) -> None:
    for name in ("tiingo_x", "us_prices_close", "asx_all", "max", "other"):
        (app.root / "cache" / f"{name}.parquet").write_bytes(b"x")
    status = app.get("/api/data/status").json
    assert (status["cache_files"], status["us_tickers_cached"], status["asx_tickers_cached"]) == (5, 3, 2)
    assert status["last_refresh"] == status["newest_cache"]


def test_a_shipped_scan_file_has_no_results_since_it_names_them_otherwise(app: App) -> None:
    app.write("dashboard/scan_results.json", {"generated_at": "2026-01-01", "candidates": [{"score": 1}]})
    answer = app.get("/api/scanner/results").json
    assert (answer["results"], answer["total_found"], answer["generated_at"]) == ([], 0, "2026-01-01")


def test_a_limit_of_minus_one_drops_the_last_and_a_least_score_of_zero_is_ignored(app: App) -> None:
    stocks = [{"ticker": name, "score": score, "signal": "BUY"} for name, score in (("A", 9.0), ("B", -1.0))]
    app.write("dashboard/scan_results.json", {"stocks": stocks})
    assert app.get("/api/scanner/results?limit=-1").json["total_found"] == 1
    assert app.get("/api/scanner/results?min_score=0").json["total_found"] == 2
    assert app.get("/api/scanner/results?min_score=1&signal=buy&scanner_type=zzz").json["total_found"] == 1
    assert app.get("/api/scanner/results?limit=0").json["results"] == []


# Tables


def test_an_older_database_starts_and_fails_on_trades_alone(app: App) -> None:
    app.sql("drop index ix_trades_bitemporal")
    app.sql("alter table trades drop column knowledge_timestamp")
    assert app.get("/health").status == 200
    answer = app.get("/api/trades/")
    assert answer.status == 500
    assert "no such column" in answer.detail


def test_few_samples_have_no_deflated_ratio_and_many_cannot_be_serialised(app: App) -> None:
    few = app.send("POST", "/api/validation/calculate-dsr?sharpe_ratio=1&n_samples=9").json
    assert (few["deflated_sharpe_ratio"], few["probabilistic_sharpe_ratio"]) == (0.0, 0.9736)
    many = app.send("POST", "/api/validation/calculate-dsr?sharpe_ratio=1&n_samples=10")
    assert (many.status, many.detail) == (500, "Unable to serialize unknown type: <class 'numpy.bool'>")
    none = app.send("POST", "/api/validation/calculate-dsr?sharpe_ratio=1&n_trials=0")
    assert (none.status, none.detail) == (500, "division by zero")


def test_the_deflated_ratio_has_the_values_that_the_contract_tells() -> None:
    program = (
        "from legacy_adapter.app.services.deflated_sharpe import deflated_sharpe as d, simulated_returns as r;"
        "print(*(float(d(r(ratio, 252), trials)) for ratio, trials in ((1.5, 10), (0.1, 2), (1.0, 1), (0.0, 10))))"
    )
    python = _ROOT / ".venv-legacy" / "bin" / "python"
    ran = subprocess.run([python, "-W", "ignore", "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True)
    first, second, alone, zero = map(float, ran.stdout.split())
    assert first == 0.17877809347824652
    assert second == pytest.approx(1.1279924183e-07)
    assert alone == 1.0
    assert math.isnan(zero)


def test_the_openapi_description_has_46_operations_on_43_paths(app: App) -> None:
    paths = app.get("/openapi.json").json["paths"]
    assert (len(paths), sum(len(operations) for operations in paths.values())) == (43, 46)


def test_the_folder_that_a_scan_makes_is_served_after_a_restart(app: App) -> None:
    body = {"custom_tickers": ["AAA"]}
    assert app.send("POST", "/api/scanner/run", body, Authorization=app.token).status == 200
    assert app.get("/api/scanner/status").json["status"] == "completed"
    assert app.get("/dashboard/scan_results.json").status == 404
    asyncio.run(app.system.restart())
    assert app.get("/dashboard/scan_results.json").json["results_found"] == 1
    assert app.get("/dashboard").headers["location"].endswith("/dashboard/")
    state = app.get("/api/scanner/status").json
    assert state == {"status": "idle", "has_results": False, "last_scan": None, "results_count": 0}
    assert app.get("/api/scanner/results").json["total_found"] == 1
