"""The recorded session of strategies, dashboards and scanner, which had no market, is answered alike."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from target_support import LEGACY, client_of, settings_for

from target.app import create_app
from target.market_data.bars import FailureClass
from tests.builders.background import Background, work_for

SECRET = "the key of this test, long enough for HS256"
HEADERS = ("content-type", "location", "www-authenticate")
NAMES_OF_TICKERS = ("SPY", "TLT", "AAA", "BBB", "CCC")

# Q15, Q16: the recorded scans are random, and results filtered by them; here nothing is found without prices.
OTHER_SCANS = frozenset(
    {"scan_status1", "scan_results1", "scan_results_min", "scan_results_limneg", "scan_results_type"}
    | {"scan_qm2", "scan_results3"}
)


def recorded() -> list[dict[str, Any]]:
    path = LEGACY / "session.jsonl"
    if not path.exists():
        pytest.skip(f"no recorded session at {LEGACY}")
    lines = (json.loads(line) for line in path.read_text().splitlines())
    return [line for line in lines if line["request"]["url"].startswith(tuple(f"/api/{name}" for name in ROUTERS))]


ROUTERS = ("strategies", "dashboard", "scanner")


@pytest.fixture
def app(database_url: str) -> FastAPI:
    return create_app(settings_for(database_url, is_lambda=True, aws_secrets_manager_name="", jwt_secret=SECRET))


@pytest.fixture
def work(app: FastAPI, tmp_path: Path) -> Background:
    made = work_for(app, tmp_path / "cache")
    made.market.failing = dict.fromkeys(NAMES_OF_TICKERS, FailureClass.SERVER_ERROR)
    made.market.listed_on = made.context.now().date()  # of what does not fail, there is nothing before today
    return made


async def test_the_recorded_session_is_answered_alike(app: FastAPI, work: Background):
    compared, mismatches = 0, []
    async with client_of(app) as client:
        for line in recorded():
            answer = await _send(client, line["request"])
            await work.drain()
            if line["response"] is None or line["name"] in OTHER_SCANS:
                continue
            compared += 1
            mismatches += _differences(line, answer)
    await app.state.database.dispose()
    assert not mismatches, "\n".join(mismatches)
    assert compared >= 40


async def _send(client: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
    content = {"json": request["json"]} if "json" in request else {"content": request.get("raw", "").encode()}
    headers = {**request.get("headers", {}), **_authorization(request.get("auth"))}
    return await client.request(request["method"], request["url"], headers=headers, **content)


def _authorization(kind: str | None) -> dict[str, str]:
    if kind is None:
        return {}
    claims: dict[str, Any] = {"sub": "someone"}
    if kind != "valid-no-exp":
        claims["exp"] = time.time() + (-60 if kind == "expired" else 60)
    token = jwt.encode(claims, SECRET[::-1] if kind == "bad-signature" else SECRET, algorithm="HS256")
    return {"Authorization": f"{'bearer' if kind == 'valid-lowercase-scheme' else 'Bearer'} {token}"}


def _differences(line: dict[str, Any], answer: httpx.Response) -> Iterator[str]:
    expected, name = line["response"], line["name"]
    if answer.status_code != expected["status"]:
        yield f"{name}: {answer.status_code} for {expected['status']}: {answer.text}"
    for header in HEADERS:
        theirs = expected["headers"].get(header)
        if answer.headers.get(header) != (theirs and theirs.replace("$BASE", "http://target.test")):
            yield f"{name}: header {header} {answer.headers.get(header)!r} for {theirs!r}"
    ours, theirs = json.dumps(answer.json() if answer.content else ""), json.dumps(expected["body"])
    if not re.fullmatch(_pattern(theirs), _clocks_masked(ours)):
        yield f"{name}: {ours} for {theirs}"


def _pattern(body: str) -> str:
    """The body as a regular expression: `$TEXT` is any text, clocks are alike."""
    return re.escape(_clocks_masked(body)).replace(re.escape("$TEXT"), '[^"]+')


def _clocks_masked(body: str) -> str:
    masked = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", "INSTANT", body)
    return re.sub(r"\d{4}-\d\d-\d\d", "DAY", re.sub(r"_\d{8}_\d{6}", "_SECOND", masked))
