"""What poisons the legacy or makes it fail, the target refuses with 422 and does not store (docs/adr/0005)."""

import math
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

GOOD = {
    "trade_id": "F-1",
    "ticker": "QQQ",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 100.5,
    "entry_date": "2024-03-04T10:30:00",
}


def raw_body(field: str, token: str) -> str:
    """The good body with one field's value replaced by a token that Python's JSON writer would not write."""
    parts = {**{key: repr(value).replace("'", '"') for key, value in GOOD.items()}, field: token}
    return "{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}"


async def create(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/trades/", json={**GOOD, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


REFUSED_BODIES = [
    ("ticker", '"   "', "string_too_short", "   "),
    ("ticker", '"\\u3000"', "string_too_short", "\u3000"),
    ("ticker", '"' + "ß" * 11 + '"', "string_too_long", "ß" * 11),
    ("ticker", '"A\\u0000"', "nul_character", "A\x00"),
    ("notes", '"a\\u0000b"', "nul_character", "a\x00b"),
    ("trade_id", '"a\\u0000b"', "nul_character", "a\x00b"),
    ("notes", '"\\ud800"', "string_unicode", "\ufffd"),
    ("trade_id", '"\\ud800"', "string_unicode", "\ufffd"),
    ("ticker", '"\\udfff"', "string_unicode", "\ufffd"),
    ("quantity", "Infinity", "finite_number", None),
    ("quantity", "-Infinity", "greater_than", None),
    ("quantity", "NaN", "greater_than", None),
    ("quantity", '"inf"', "finite_number", "inf"),
    ("quantity", "1e200", "less_than_equal", 1e200),
    ("entry_price", "1e308", "less_than_equal", 1e308),
    ("commission", "1e999", "finite_number", None),
    ("signal_score", "NaN", None, None),
]


@pytest.mark.parametrize(("field", "token", "kind", "given"), REFUSED_BODIES)
async def test_a_poisonous_body_is_refused(client: httpx.AsyncClient, field: str, token: str, kind: str, given: Any):
    content = raw_body(field, token).encode()
    answer = await client.post("/api/trades/", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    (entry,) = answer.json()["detail"]
    assert entry["loc"] == ["body", field]
    assert entry["input"] == given
    assert kind is None or entry["type"] == kind
    assert (await client.get("/api/trades/")).json()["total"] == 0


REFUSED_QUERIES = [
    ("/api/trades/?status=open", "enum", "status", "open"),
    ("/api/trades/?status=FOO", "enum", "status", "FOO"),
    ("/api/trades/?sort_by=metadata", "sort_key", "sort_by", "metadata"),
    ("/api/trades/?sort_by=calculate_pnl", "sort_key", "sort_by", "calculate_pnl"),
    ("/api/trades/?sort_by=__tablename__", "sort_key", "sort_by", "__tablename__"),
    ("/api/trades/?page=999999999999999999", "less_than_equal", "page", "999999999999999999"),
    ("/api/trades/metrics/portfolio?initial_capital=inf", "finite_number", "initial_capital", "inf"),
    ("/api/trades/metrics/dashboard?initial_capital=1e-320", "finite_result", "initial_capital", "1e-320"),
]


@pytest.mark.parametrize(("url", "kind", "name", "given"), REFUSED_QUERIES)
async def test_a_query_that_the_legacy_fails_on_is_refused(
    client: httpx.AsyncClient, url: str, kind: str, name: str, given: str
):
    trade = await create(client)
    await client.post(f"/api/trades/{trade['id']}/close?exit_price=200")
    answer = await client.get(url)
    assert answer.status_code == 422, answer.text
    (entry,) = answer.json()["detail"]
    assert (entry["type"], entry["loc"], entry["input"]) == (kind, ["query", name], given)


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
@pytest.mark.parametrize("row_id", ["99999999999999999999", "-99999999999999999999"])
async def test_an_id_beyond_64_bits_is_refused(client: httpx.AsyncClient, verb: str, row_id: str):
    answer = await client.request(verb, f"/api/trades/{row_id}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["input"] == row_id


async def test_an_id_within_64_bits_is_just_not_found(client: httpx.AsyncClient):
    answer = await client.get(f"/api/trades/{2**63 - 1}")
    assert (answer.status_code, answer.json()) == (404, {"detail": f"Trade with ID {2**63 - 1} not found"})


async def test_a_null_status_is_refused_and_the_trade_kept(client: httpx.AsyncClient):
    trade = await create(client)
    answer = await client.patch(f"/api/trades/{trade['id']}", json={"status": None, "notes": "lost"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "status"]
    assert (await client.get(f"/api/trades/{trade['id']}")).json() == trade


LE = {"type": "less_than_equal", "msg": "Input should be less than or equal to 1e+150", "ctx": {"le": 1e150}}
FINITE = {"type": "finite_number", "msg": "Input should be a finite number"}
EXPECTED = "'OPEN', 'CLOSED' or 'CANCELLED'"
STRICTER_THAN_THE_LEGACY = [
    (
        "PATCH",
        "",
        '{"status":null}',
        {
            "type": "enum",
            "loc": ["body", "status"],
            "msg": f"Input should be {EXPECTED}",
            "input": None,
            "ctx": {"expected": EXPECTED},
        },
    ),
    ("PATCH", "", '{"exit_price":Infinity}', {**FINITE, "loc": ["body", "exit_price"], "input": None}),
    ("PATCH", "", '{"exit_price":"inf"}', {**FINITE, "loc": ["body", "exit_price"], "input": "inf"}),
    ("PATCH", "", '{"exit_price":1e200}', {**LE, "loc": ["body", "exit_price"], "input": 1e200}),
    ("PATCH", "", '{"exit_price":"1e200"}', {**LE, "loc": ["body", "exit_price"], "input": "1e200"}),
    (
        "PATCH",
        "",
        '{"notes":"a\\u0000b"}',
        {
            "type": "nul_character",
            "loc": ["body", "notes"],
            "msg": "String should not contain a NUL character",
            "input": "a\x00b",
        },
    ),
    ("POST", "/close?exit_price=inf", "", {**FINITE, "loc": ["query", "exit_price"], "input": "inf"}),
    ("POST", "/close?exit_price=1e200", "", {**LE, "loc": ["query", "exit_price"], "input": "1e200"}),
]


@pytest.mark.parametrize(("verb", "tail", "content", "entry"), STRICTER_THAN_THE_LEGACY)
async def test_our_rules_refuse_what_would_be_stored_and_nothing_before(
    client: httpx.AsyncClient, verb: str, tail: str, content: str, entry: dict[str, Any]
):
    async def answer_of(row_id: object) -> httpx.Response:
        sent = {"content": content, "headers": {"content-type": "application/json"}}
        return await client.request(verb, f"/api/trades/{row_id}{tail}", **sent)

    trade = await create(client)
    present, absent, misnamed = [await answer_of(row_id) for row_id in (trade["id"], 99999, "AAA")]
    assert (present.status_code, present.json()) == (422, {"detail": [entry]})
    assert (await client.get(f"/api/trades/{trade['id']}")).json() == trade
    assert absent.status_code == 404
    assert misnamed.status_code == 422
    assert [error["loc"] for error in misnamed.json()["detail"]] == [["path", "trade_id"]]


async def test_the_legacys_own_rules_are_told_alone(client: httpx.AsyncClient):
    trade = await create(client)
    body = {"exit_price": -1, "status": None, "notes": "a\x00b"}
    answer = await client.patch(f"/api/trades/{trade['id']}", json=body)
    assert [error["loc"] for error in answer.json()["detail"]] == [["body", "exit_price"]]


async def test_all_of_our_rules_are_told_at_once(client: httpx.AsyncClient):
    trade = await create(client)
    answer = await client.patch(f"/api/trades/{trade['id']}", json={"status": None, "notes": "a\x00b"})
    assert [error["loc"] for error in answer.json()["detail"]] == [["body", "status"], ["body", "notes"]]


async def test_a_trade_that_is_closed_is_not_closable_at_any_price(client: httpx.AsyncClient):
    trade = await create(client)
    await client.post(f"/api/trades/{trade['id']}/close?exit_price=200")
    assert (await client.post(f"/api/trades/{trade['id']}/close?exit_price=inf")).status_code == 404


async def test_a_close_whose_percentage_overflows_is_refused(client: httpx.AsyncClient):
    trade = await create(client, entry_price=1e-300, quantity=1e-100)
    for answer in (
        await client.post(f"/api/trades/{trade['id']}/close?exit_price=1e100"),
        await client.patch(f"/api/trades/{trade['id']}", json={"status": "CLOSED", "exit_price": 1e100}),
    ):
        assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "finite_result")
    assert (await client.get(f"/api/trades/{trade['id']}")).json() == trade


async def test_the_largest_figures_that_are_accepted_poison_nothing(client: httpx.AsyncClient):
    await create(client, trade_id="big-open", quantity=1e150, entry_price=1e150)
    big = await create(client, trade_id="big-closed", quantity=1e150, entry_price=1)
    assert (await client.post(f"/api/trades/{big['id']}/close?exit_price=1e150")).status_code == 200
    portfolio = (await client.get("/api/trades/metrics/portfolio")).json()
    assert all(value is None or math.isfinite(value) for value in portfolio.values())
    assert portfolio["invested_value"] == 1e150 * 1e150
    assert (await client.get("/api/trades/metrics/dashboard")).status_code == 200


async def test_the_highest_id_is_not_handed_out_again(client: httpx.AsyncClient):
    first = await create(client)
    assert (await client.delete(f"/api/trades/{first['id']}")).status_code == 204
    assert (await create(client))["id"] > first["id"]


async def test_a_filter_with_a_nul_character_matches_nothing(client: httpx.AsyncClient):
    await create(client)
    for name in ("ticker", "strategy"):
        answer = await client.get(f"/api/trades/?{name}=Q%00")
        assert (answer.status_code, answer.json()["total"]) == (200, 0)


async def test_a_row_that_came_poisoned_from_the_legacy_is_readable(client: httpx.AsyncClient, app: FastAPI):
    good = await create(client)
    async with app.state.database.session() as session:
        insert = (
            "INSERT INTO trades (trade_id, ticker, direction, quantity, entry_price, entry_date, status, commission) "
            "VALUES ('P-1', '', 'BUY', :infinite, 1.5, :entered, NULL, NULL)"
        )
        entered = "2024-01-01 00:00:00.000000"
        if app.state.settings.database_url_async.startswith("postgresql"):
            insert = insert.replace(":infinite", "'Infinity'").replace(":entered", f"'{entered}'")
            await session.execute(text(insert))
        else:
            await session.execute(text(insert), {"infinite": math.inf, "entered": entered})
    trades = (await client.get("/api/trades/?sort_by=id&sort_desc=false")).json()["trades"]
    assert trades[0] == good
    assert (trades[1]["ticker"], trades[1]["quantity"], trades[1]["status"]) == ("", None, None)
    assert (await client.get("/api/trades/metrics/dashboard")).status_code == 200


async def test_a_body_nested_to_the_parsers_limit_is_refused(client: httpx.AsyncClient):
    content = b"[" * 400 + b"]" * 400
    answer = await client.post("/api/trades/", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422


async def test_an_unforeseen_failure_tells_nothing(client: httpx.AsyncClient, app: FastAPI, caplog):
    async def fail() -> None:
        raise RuntimeError("SELECT secret FROM somewhere")

    app.get("/fail")(fail)
    answer = await client.get("/fail?a=1", headers={"Origin": "http://localhost:3000"})
    body = answer.json()
    assert (answer.status_code, list(body)) == (500, ["error", "detail", "request_id", "path"])
    assert "secret" not in answer.text
    assert len(body["request_id"]) == 8
    assert body["path"] == "http://target.test/fail?a=1"
    assert "access-control-allow-origin" not in answer.headers
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError]
