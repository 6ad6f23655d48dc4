"""Quirks of the reference application that no recording shows, each from a sentence of the contract."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.builders.served_legacy import IS_INSTALLED, NOT_INSTALLED, TRADE, App, serve_legacy

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
    body = json.dumps(TRADE).encode()
    assert app.send("POST", "/api/trades/", body, **{"content-type": content_type}).status == status


def test_a_byte_order_mark_is_read_over(app: App) -> None:
    assert app.send("POST", "/api/trades/", b"\xef\xbb\xbf" + json.dumps(TRADE).encode()).status == 201


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
