"""Which routes ask for a token, in each mode, and that a new signing key is noticed."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from target_support import client_of, settings_for

from target.app import create_app
from target.secrets import SecretStore
from target.settings import Settings

KEY = "the-signing-key-of-these-tests-0123456789"
NEW_KEY = "the-signing-key-after-rotation-0123456789"
STORES_NOTHING = "/api/validation/calculate-dsr"
ALWAYS_GUARDED = {("GET", "/api/dashboard/"), ("GET", "/api/dashboard/comparison"), ("POST", "/api/scanner/run")}


def token(key: str = KEY, **changes: Any) -> str:
    claims = {"sub": "u", "exp": time.time() + 60, "aud": "potential-parakeet", "iss": "potential-parakeet"}
    return jwt.encode({name: value for name, value in (claims | changes).items() if value is not None}, key)


def operations(app: FastAPI) -> list[tuple[str, str]]:
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in routes for method in sorted(route.methods)]


def writes(app: FastAPI) -> list[tuple[str, str]]:
    return [(method, path) for method, path in operations(app) if method != "GET" and path != STORES_NOTHING]


async def refused(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> bool:
    answer = await client.request(method, path.format(trade_id=1, strategy_name="x"), headers=headers)
    if answer.status_code != 401:
        return False
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    return True


@pytest.fixture
def strict(sqlite_url: str) -> FastAPI:
    return create_app(settings_for(sqlite_url, auth_mode="strict", jwt_secret=KEY))


@pytest.fixture
async def strict_client(strict: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(strict) as opened:
        yield opened
    await strict.state.database.dispose()


async def test_strict_asks_for_a_token_on_every_write(strict: FastAPI, strict_client: httpx.AsyncClient):
    asked = {("POST", "/api/trades/"), ("PATCH", "/api/trades/{trade_id}"), ("DELETE", "/api/trades/{trade_id}")}
    asked |= {("POST", "/api/strategies/run"), ("POST", "/api/data/refresh"), ("POST", "/api/scanner/run")}
    assert asked <= set(writes(strict))
    for method, path in {*writes(strict), *ALWAYS_GUARDED}:
        assert await refused(strict_client, method, path), (method, path)


async def test_compat_asks_only_where_the_legacy_does(sqlite_url: str):
    app = create_app(settings_for(sqlite_url, jwt_secret=KEY))
    async with client_of(app) as client:
        found = {
            operation
            for operation in operations(app)
            if operation in ALWAYS_GUARDED or operation in writes(app)
            if await refused(client, *operation)
        }
    await app.state.database.dispose()
    assert found == ALWAYS_GUARDED


async def test_strict_accepts_a_full_token_and_compat_refuses_its_audience(
    sqlite_url: str, strict_client: httpx.AsyncClient
):
    bearer = {"Authorization": f"Bearer {token()}"}
    assert (await strict_client.delete("/api/trades/1", headers=bearer)).status_code == 404
    app = create_app(settings_for(sqlite_url, jwt_secret=KEY))
    async with client_of(app) as client:
        answer = await client.get("/api/dashboard/", headers=bearer)
        lower_case = await client.get(
            "/api/dashboard/", headers={"Authorization": f"bearer {token(aud=None, exp=None)}"}
        )
    await app.state.database.dispose()
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})
    assert lower_case.status_code == 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "Not authenticated"),
        ("Bearer", "Not authenticated"),
        ("Basic dTpw", "Not authenticated"),
        (f"Bearer  {token()}", "Invalid token"),
        (f"Bearer {token(exp=1)}", "Token has expired"),
        (f"Bearer {token(NEW_KEY)}", "Invalid token"),
        (f"Bearer {token()}, Bearer {token()}", "Invalid token"),
        ("Bearer " + "x" * 60_000, "Invalid token"),
    ],
    ids=range(8),
)
async def test_a_refusal_says_one_of_three_texts(strict_client: httpx.AsyncClient, value: str, text: str):
    answer = await strict_client.delete("/api/trades/1", headers={"Authorization": value} if value else {})
    assert (answer.status_code, answer.json()) == (401, {"detail": text})


async def test_strict_refuses_two_authorizations(strict_client: httpx.AsyncClient):
    headers = [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token(exp=1)}")]
    answer = await strict_client.delete("/api/trades/1", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})


async def test_a_rotated_key_is_noticed_and_forgeries_do_not_hammer_the_secret_store(sqlite_url: str):
    settings = settings_for(sqlite_url, auth_mode="strict", is_lambda=True, aws_secrets_manager_name="app/dev")
    now, stored, fetches = 0.0, KEY, 0

    async def fetch(_settings: Settings, _name: str) -> Mapping[str, str]:
        nonlocal fetches
        fetches += 1
        return {"JWT_SECRET": stored, "NEON_DATABASE_URL": sqlite_url}

    app = create_app(settings)
    app.state.secrets = SecretStore(settings, fetch=fetch, clock=lambda: now)
    app.state.database._secrets = app.state.secrets
    async with client_of(app) as client:

        async def status(key: str) -> int:
            headers = {"Authorization": f"Bearer {token(key)}"}
            return (await client.delete("/api/trades/1", headers=headers)).status_code

        assert [await status(KEY), fetches] == [404, 1]
        stored, now = NEW_KEY, 10.0
        assert [await status(NEW_KEY), fetches] == [401, 1]  # not asked again so soon
        now = 31.0
        assert [await status(NEW_KEY), await status(KEY), fetches] == [404, 401, 2]
    await app.state.database.dispose()
