"""What strategies, dashboards and the scanner show of work that was done, on both databases."""

import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from target_support import client_of, settings_for

from target.app import create_app
from target.clock import utc_now
from target.database.jobs import Scan
from target.services.job_status import LOST_AFTER
from tests.builders.background import Background, work_for

SECRET = "the key of this test, long enough for HS256"
ORDER = {"tickers": ["SPY", "TLT", "GLD"], "start_date": "2024-01-01", "end_date": "2024-12-31"}
PROTECTED = [("GET", "/api/dashboard/"), ("GET", "/api/dashboard/comparison"), ("POST", "/api/scanner/run")]


@pytest.fixture
def app(database_url: str) -> FastAPI:
    return create_app(settings_for(database_url, is_lambda=True, aws_secrets_manager_name="", jwt_secret=SECRET))


@pytest.fixture
def work(app: FastAPI, tmp_path: Path) -> Background:
    return work_for(app, tmp_path / "cache")


@pytest.fixture
def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {jwt.encode({'exp': time.time() + 60}, SECRET, algorithm='HS256')}"}


async def run(client: httpx.AsyncClient, work: Background, name: str, **changes: Any) -> str:
    answer = await client.post("/api/strategies/run", json={"strategy_name": name, **ORDER, **changes})
    assert answer.status_code == 200, answer.text
    await work.drain()
    return str(answer.json()["backtest_id"])


async def store_scan(app: FastAPI, scanner_type: str, *scores: float) -> None:
    stocks = [
        {
            "ticker": f"T{number}",
            "name": f"T{number}",
            "price": 10.0,
            "change_pct": 1.0,
            "volume": None,
            "signal": "BUY" if score > 70 else "HOLD",
            "score": score,
            "details": {"adr_pct": 2.0, "rs_rank": 50, "pattern": "Consolidation"},
        }
        for number, score in enumerate(scores)
    ]
    async with app.state.database.session() as session:
        session.add(
            Scan(
                job_id=f"job of {scanner_type}",
                generated_at=utc_now(),
                scanner_type=scanner_type,
                universe="sp500",
                tickers_scanned=len(stocks),
                filters={"min_price": 5.0, "max_price": 500.0, "min_volume": 100000},
                stocks=stocks,
            )
        )


async def test_a_backtest_can_be_read_in_every_view(client: httpx.AsyncClient, work: Background, bearer: Any):
    backtest_id = await run(client, work, "HRP")
    results = (await client.get("/api/strategies/HRP/results")).json()
    assert list(results) == [
        *("backtest_id", "strategy_name", "completed_at", "config"),
        *("metrics", "final_value", "weights", "execution_time"),
    ]
    assert results["backtest_id"] == backtest_id
    assert results["config"] == {
        "start_date": "2024-01-01",
        "end_date": "2024-12-31",
        "initial_capital": 100000,
        "optimization_method": "HRP",
    }
    detail = (await client.get("/api/strategies/HRP")).json()
    assert (detail["last_results"], detail["has_results"]) == (results, True)
    assert (await client.get("/api/strategies/HRP/status")).json()["status"] == "completed"

    metrics = results["metrics"]
    (row,) = (await client.get("/api/strategies/compare/all")).json()["comparison"]
    assert row == {
        "strategy": "HRP",
        "category": "Quant 1.0",
        "final_value": results["final_value"],
        "total_return": metrics["Total Return"],
        "cagr": metrics["CAGR"],
        "sharpe_ratio": metrics["Sharpe"],
        "max_drawdown": metrics["Max Drawdown"],
        "win_rate": metrics["Win Rate"],
    }
    overview = (await client.get("/api/dashboard/", headers=bearer)).json()
    assert overview["strategies"] == [
        {
            "name": "HRP",
            "final_value": results["final_value"],
            "cagr": metrics["CAGR"],
            "sharpe": metrics["Sharpe"],
            "max_drawdown": metrics["Max Drawdown"],
            "status": "active",
        }
    ]
    assert overview["summary"]["best_performer"] == "HRP"
    (row,) = (await client.get("/api/dashboard/backtest")).json()["comparison_table"]
    assert (row["sortino_ratio"], row["calmar_ratio"]) == (metrics["Sortino"], metrics["Calmar"])
    allocation = (await client.get("/api/dashboard/allocation")).json()
    assert allocation["by_strategy"] == {"HRP": results["weights"]}
    assert sum(allocation["combined_allocation"].values()) == pytest.approx(1)


async def test_capital_is_answered_as_it_was_given(client: httpx.AsyncClient, work: Background):
    await run(client, work, "HRP", initial_capital=5)
    answer = await client.get("/api/strategies/HRP/results")
    assert '"initial_capital":5.0' in answer.text
    refused = await client.post(
        "/api/strategies/run",
        content='{"strategy_name": "HRP", "initial_capital": Infinity}',
        headers={"content-type": "application/json"},
    )
    assert (refused.status_code, refused.json()["detail"][0]["type"]) == (422, "finite_number")


async def test_the_run_that_ended_last_hides_earlier_ones_except_on_dashboards(
    client: httpx.AsyncClient, work: Background, bearer: Any
):
    await run(client, work, "HRP")
    await run(client, work, "Dual_Momentum", start_date="2022-01-01")
    await run(client, work, "HRP", start_date="nonsense")
    error = "Invalid parameter: Failed to fetch price data"
    assert (await client.get("/api/strategies/HRP/results")).json() == {"error": error}
    compared = (await client.get("/api/strategies/compare/all")).json()
    assert [row["strategy"] for row in compared["comparison"]] == ["Dual_Momentum"]
    comparison = (await client.get("/api/dashboard/comparison", headers=bearer)).json()
    assert list(comparison) == ["comparison", "metrics", "strategies_count", "generated_at"]
    values = [row["final_value"] for row in comparison["comparison"]]
    assert (len(values), values) == (2, sorted(values, reverse=True))


async def test_results_outlive_the_process_that_made_them(
    client: httpx.AsyncClient, work: Background, database_url: str
):
    await run(client, work, "HRP")
    other = create_app(settings_for(database_url))
    async with client_of(other) as fresh:
        assert (await fresh.get("/api/strategies/HRP/status")).json()["status"] == "completed"
        assert (await fresh.get("/api/strategies/HRP/results")).json()["strategy_name"] == "HRP"
    await other.state.database.dispose()


async def test_a_run_that_nobody_works_on_any_more_is_told_as_failed(
    app: FastAPI, client: httpx.AsyncClient, work: Background, monkeypatch: pytest.MonkeyPatch
):
    async def lose(_job_id: str) -> None:
        """Accept the job and never run it."""

    monkeypatch.setattr(work.sender, "send", lose)
    await run(client, work, "HRP")
    status = (await client.get("/api/strategies/HRP/status")).json()
    assert (status["status"], status["has_results"]) == ("running", False)
    monkeypatch.setattr("target.routers.strategies.utc_now", lambda: utc_now() + LOST_AFTER)
    status = (await client.get("/api/strategies/HRP/status")).json()
    assert status["status"] == "failed: The run was interrupted, please start it again"


@pytest.mark.parametrize(
    ("query", "found", "total"),
    [
        ("", ["T0", "T1", "T2"], 3),
        ("?signal=buy", ["T0"], 1),
        ("?signal=", ["T0", "T1", "T2"], 3),
        ("?min_score=60", ["T0", "T1"], 2),
        ("?min_score=0", ["T0", "T1"], 2),
        ("?limit=1", ["T0"], 3),
        ("?limit=0", [], 3),
        ("?limit=-1", ["T0", "T1", "T2"], 3),
        ("?scanner_type=momentum", ["T0"], 1),
        ("?scanner_type=momentum&min_score=99", [], 0),
        ("?scanner_type=", ["T0", "T1", "T2"], 3),
    ],
)
async def test_every_filter_of_scan_results_counts(
    query: str, found: list[str], total: int, app: FastAPI, client: httpx.AsyncClient
):
    await store_scan(app, "momentum", 50.0)
    await store_scan(app, "quallamaggie", 80.0, 60.0, -1.0)
    answer = (await client.get(f"/api/scanner/results{query}")).json()
    assert [stock["ticker"] for stock in answer["results"]] == found
    assert answer["total_found"] == total
    assert list(answer["filters_applied"]) == ["signal", "min_score", "limit"]


async def test_a_type_that_was_never_scanned_for_has_no_results(app: FastAPI, client: httpx.AsyncClient):
    await store_scan(app, "quallamaggie", 80.0)
    answer = (await client.get("/api/scanner/results?scanner_type=other")).json()
    assert answer == {"results": [], "message": "No scan has been run yet.", "generated_at": None}


async def test_equal_scans_of_equal_prices_find_the_same(client: httpx.AsyncClient, work: Background, bearer: Any):
    found = []
    for _ in range(2):
        answer = await client.post("/api/scanner/run", json={"custom_tickers": ["AAA", "BBB"]}, headers=bearer)
        assert answer.status_code == 200
        await work.drain()
        found.append((await client.get("/api/scanner/quallamaggie")).json())
    assert found[0]["stocks"] == found[1]["stocks"] != []
    assert list(found[0]) == [
        *("generated_at", "scanner_type", "universe", "tickers_scanned", "results_found", "filters", "stocks"),
        "retrieved_at",
    ]
    status = (await client.get("/api/scanner/status")).json()
    assert status == {
        "status": "completed",
        "has_results": True,
        "last_scan": found[1]["generated_at"],
        "results_count": 2,
    }
    overview = (await client.get("/api/scanner/")).json()
    assert (overview["last_scan"], overview["status"]) == (found[1]["generated_at"], "completed")


async def test_a_scan_that_failed_leaves_the_earlier_results(
    client: httpx.AsyncClient, work: Background, bearer: Any, monkeypatch: pytest.MonkeyPatch
):
    async def fail(*_: object) -> None:
        raise ValueError("odd")

    for _ in range(2):
        await client.post("/api/scanner/run", json={"custom_tickers": ["AAA"]}, headers=bearer)
        await work.drain()
        monkeypatch.setattr(work.context.prices, "load_closes", fail)
    status = (await client.get("/api/scanner/status")).json()
    assert (status["status"], status["results_count"]) == ("failed: Invalid parameter: odd", 1)


async def test_what_no_column_can_hold_is_refused(client: httpx.AsyncClient, work: Background, bearer: Any):
    for order in ({"scanner_type": "a\x00b"}, {"universe": "\x00"}):
        answer = await client.post("/api/scanner/run", json=order, headers=bearer)
        assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "nul_character")
    for path in ("/api/strategies/a%00b/status", "/api/scanner/results?scanner_type=%00"):
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_what_is_protected_asks_for_a_token_before_it_looks_at_the_body(
    method: str, path: str, client: httpx.AsyncClient
):
    answer = await client.request(method, path, json={"min_price": "no number"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


async def test_the_stored_prices_of_each_group_are_as_old_as_their_newest(postgres_url: str):
    app = create_app(settings_for(postgres_url))
    today = utc_now().date()
    async with app.state.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "INSERT INTO market_data (ticker, date, open, high, low, close, volume) VALUES"
            f" ('AAPL', '{today}', 1, 1, 1, 1, 1), ('BHP.AX', '2024-01-02', 1, 1, 1, 1, 1)"
        )
    async with client_of(app) as client:
        answer = (await client.get("/api/dashboard/data-status")).json()
    await app.state.database.dispose()
    groups = {each["name"]: each for each in answer["freshness"]["universes"]}
    assert (answer["overall_status"], answer["freshness"]["needs_refresh_count"]) == ("partially_stale", 2)
    assert (groups["sp500"]["latest_data_date"], groups["sp500"]["is_stale"]) == (today.isoformat(), False)
    assert groups["asx200"]["latest_data_date"] == "2024-01-02"
    assert groups["asx200"]["staleness_days"] > 300
    assert (groups["momentum"]["latest_data_date"], groups["momentum"]["staleness_days"]) == (None, 0)
