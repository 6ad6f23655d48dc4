"""What the contract says of /api/trades and the recording does not show."""

from datetime import UTC, datetime
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from target_support import client_of, settings_for

from target.app import create_app

GOOD = {
    "trade_id": "C-1",
    "ticker": "QQQ",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 450.5,
    "entry_date": "2024-01-15T10:30:00",
}
KEYS = (
    *("ticker", "asset_name", "asset_class", "direction", "quantity", "entry_price", "commission", "currency"),
    *("strategy_name", "signal_score", "notes", "id", "trade_id", "entry_date", "exit_price", "exit_date"),
    *("pnl", "pnl_percent", "status", "created_at", "updated_at"),
)


async def create(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/trades/", json={**GOOD, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(client: httpx.AsyncClient, query: str) -> list[str]:
    return [trade["trade_id"] for trade in (await client.get(f"/api/trades/?{query}")).json()["trades"]]


async def test_a_trade_is_answered_in_the_contracts_key_order(client: httpx.AsyncClient):
    trade = await create(client)
    assert tuple(trade) == KEYS
    created_at = datetime.fromisoformat(trade["created_at"])
    assert created_at.tzinfo is None
    assert created_at.microsecond == 0
    assert abs((datetime.now(UTC).replace(tzinfo=None) - created_at).total_seconds()) < 5


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2024-01-15T10:30:00+10:00", "2024-01-15T10:30:00"),
        ("2024-01-15T10:30:00.000001Z", "2024-01-15T10:30:00.000001"),
        ("2024-01-15", "2024-01-15T00:00:00"),
        (1705314600, "2024-01-15T10:30:00"),
        (1705314600000, "2024-01-15T10:30:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999-12:00", "9999-12-31T23:59:59.999999"),
    ],
)
async def test_a_time_keeps_its_wall_clock(client: httpx.AsyncClient, given: object, stored: str):
    trade = await create(client, entry_date=given)
    assert (await client.get(f"/api/trades/{trade['id']}")).json()["entry_date"] == stored


@pytest.mark.parametrize("form", ["{}", "00{}", "+{}", "{}.0", "%20{}", "{}%20"])
async def test_lenient_forms_of_an_id_name_the_same_trade(client: httpx.AsyncClient, form: str):
    trade = await create(client)
    answer = await client.get(f"/api/trades/{form.format(trade['id'])}")
    assert (answer.status_code, answer.json()) == (200, trade)


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON", "application/vnd.api+json"])
async def test_a_body_may_start_with_a_byte_order_mark(client: httpx.AsyncClient, kind: str):
    content = b"\xef\xbb\xbf" + httpx.Request("POST", "http://x", json=GOOD).content
    answer = await client.post("/api/trades/", content=content, headers={"content-type": kind})
    assert answer.status_code == 201


async def test_nulls_sort_lowest_and_text_by_bytes(client: httpx.AsyncClient):
    for trade_id, notes in (("n", None), ("z", "Zulu"), ("a", "alpha"), ("e", "Éclair"), ("s", " space")):
        await create(client, trade_id=trade_id, notes=notes)
    assert await listed(client, "sort_by=notes&sort_desc=false") == ["n", "s", "z", "a", "e"]
    assert await listed(client, "sort_by=notes") == ["e", "a", "z", "s", "n"]


async def test_ties_are_told_apart_by_id(client: httpx.AsyncClient):
    for trade_id in ("1", "2", "3"):
        await create(client, trade_id=trade_id)
    assert await listed(client, "") == ["3", "2", "1"]
    assert await listed(client, "sort_desc=false") == ["1", "2", "3"]
    assert await listed(client, "strategy=dual_momentum") == ["1", "2", "3"]
    assert await listed(client, "sort_by=pnl") == ["1", "2", "3"]
    assert [*await listed(client, "page_size=2"), *await listed(client, "page_size=2&page=2")] == ["3", "2", "1"]


@pytest.mark.parametrize("name", KEYS)
async def test_every_column_can_be_sorted_by(client: httpx.AsyncClient, name: str):
    await create(client)
    assert await listed(client, f"sort_by={name}") == ["C-1"]


async def test_only_a_real_change_moves_updated_at(client: httpx.AsyncClient, app: FastAPI):
    trade = await create(client)
    # Whole seconds: make the stored time old enough for a change to show.
    async with app.state.database.session() as session:
        await session.execute(text("UPDATE trades SET updated_at = '2020-01-01 00:00:00'"))
    path = f"/api/trades/{trade['id']}"
    for body in ({}, {"notes": None}, {"status": "OPEN"}, {"quantity": 5, "pnl": 1}):
        assert (await client.patch(path, json=body)).json()["updated_at"] == "2020-01-01T00:00:00"
    changed = (await client.patch(path, json={"notes": "now"})).json()
    assert changed["updated_at"] >= trade["created_at"]
    assert changed["created_at"] == trade["created_at"]
    assert "." not in changed["updated_at"]


async def test_closing_follows_the_worked_examples(client: httpx.AsyncClient):
    bought = await create(client, trade_id="b")
    sold = await create(client, trade_id="s", direction="SELL", commission=0)
    closed = (
        await client.post(f"/api/trades/{bought['id']}/close?exit_price=465.25&exit_date=2024-02-15T14:00")
    ).json()
    assert (closed["pnl"], closed["pnl_percent"], closed["status"]) == (144.5, 3.2741398446170926, "CLOSED")
    assert closed["exit_date"] == "2024-02-15T14:00:00"
    closed = (await client.post(f"/api/trades/{sold['id']}/close?exit_price=400")).json()
    assert (closed["pnl"], closed["pnl_percent"]) == (505.0, 11.20976692563818)
    again = await client.post(f"/api/trades/{sold['id']}/close?exit_price=400")
    assert (again.status_code, again.json()["detail"]) == (
        404,
        f"Trade with ID {sold['id']} not found or already closed",
    )
    portfolio = (await client.get("/api/trades/metrics/portfolio?initial_capital=1000")).json()
    assert (portfolio["total_pnl"], portfolio["win_rate"], portfolio["total_return"]) == (649.5, 100.0, 64.95)
    dashboard = (await client.get("/api/trades/metrics/dashboard")).json()
    assert dashboard["today_pnl"] == 505.0


async def test_an_empty_journal_has_metrics(client: httpx.AsyncClient):
    portfolio = (await client.get("/api/trades/metrics/portfolio")).json()
    assert portfolio["total_value"] == 100000.0
    assert portfolio["avg_pnl_per_trade"] is None
    assert (portfolio["best_trade"], portfolio["win_rate"]) == (0.0, 0.0)
    assert (await client.get("/api/trades/metrics/by-ticker")).json() == []
    assert (await client.get("/api/trades/")).json()["total_pages"] == 1


async def test_a_redirect_names_the_host_that_the_client_used(client: httpx.AsyncClient):
    answer = await client.patch("/api/trades/1/?a=b", headers={"Host": "api.example:8443"})
    assert (answer.status_code, answer.content) == (307, b"")
    assert answer.headers["location"] == "http://api.example:8443/api/trades/1?a=b"


@pytest.mark.parametrize(
    ("verb", "path", "allow"),
    [
        ("PUT", "/api/trades/", "POST"),
        ("HEAD", "/api/trades/", "POST"),
        ("HEAD", "/api/trades/1", "GET"),
        ("OPTIONS", "/api/trades/1", "GET"),
        ("GET", "/api/trades/1/close", "POST"),
        ("POST", "/api/trades/metrics/portfolio", "GET"),
        ("BREW", "/health", "GET"),
    ],
)
async def test_allow_names_the_first_route_alone(client: httpx.AsyncClient, verb: str, path: str, allow: str):
    answer = await client.request(verb, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


async def test_a_deletion_answers_204_with_a_content_type(client: httpx.AsyncClient):
    answer = await client.delete(f"/api/trades/{(await create(client))['id']}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (204, b"", "application/json")


@pytest.mark.parametrize("path", ["//", "/"])
async def test_two_slashes_serve_the_root(client: httpx.AsyncClient, path: str):
    scope_path = (await client.get(f"http://target.test{path}")).json()
    assert scope_path["docs"] == "/docs"


async def test_strict_mode_guards_writes_and_leaves_reads_open(sqlite_url: str):
    key = "k" * 64
    app = create_app(settings_for(sqlite_url, auth_mode="strict", jwt_secret=key))
    full = {"exp": 4_102_444_800, "aud": "potential-parakeet", "iss": "potential-parakeet"}
    async with client_of(app) as client:

        async def status(claims: dict[str, Any] | None, algorithm: str = "HS256") -> int:
            token = None if claims is None else jwt.encode(claims, key if algorithm != "none" else None, algorithm)
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            return (await client.post("/api/trades/", json={}, headers=headers)).status_code

        assert (await client.get("/api/trades/")).status_code == 200
        assert await status(full) == 422
        refused = [None, {**full, "exp": 1}, {**full, "aud": "other"}, {**full, "iss": "other"}]
        refused += [{name: value for name, value in full.items() if name != absent} for absent in full]
        assert [await status(claims) for claims in refused] == [401] * len(refused)
        assert await status(full, "none") == 401
        assert await status(full, "HS512") == 401
    await app.state.database.dispose()


async def test_the_description_of_the_api_is_served(client: httpx.AsyncClient):
    description = (await client.get("/openapi.json")).json()
    assert set(description["paths"]["/api/trades/{trade_id}"]) == {"get", "patch", "delete"}
    assert (await client.get("/docs")).status_code == 200
