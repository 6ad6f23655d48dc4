"""Files and tables that the reference application finds: quirks that no recording shows, from the contract."""

import asyncio
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.served_legacy import IS_INSTALLED, NOT_INSTALLED, App, serve_legacy

_ROOT = Path(__file__).resolve().parents[2]

if not IS_INSTALLED:
    pytest.skip(NOT_INSTALLED, allow_module_level=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One for all of this module."""
    with serve_legacy(tmp_path_factory.mktemp("legacy")) as app:
        yield app


@pytest.fixture
def app(served: App) -> App:
    """It, with the seed's rows and no files."""
    served.reset()
    return served


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
