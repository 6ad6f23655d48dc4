"""Where the legacy refuses, the target gives its answer, although one of our own rules is broken as well.

Every rule of ours is broken together with every rule of the legacy on the same operation, on both applications.
"""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from target_support import client_of, settings_for

from target.app import create_app
from target.database.jobs import Scan
from tests.builders.refusal_rules import RULES, Call
from tests.builders.served_legacy import IS_INSTALLED, NOT_INSTALLED, TRADE, App, serve_legacy

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=NOT_INSTALLED)

SCAN = {"generated_at": "2024-03-04T10:30:00", "scanner_type": "quallamaggie", "universe": "sp500", "stocks": []}
KEPT = ({"trade_id": "R-taken"}, {"trade_id": "R-closed"})
"""The rows 1 and 2 of both applications; the second is closed."""


@dataclass(frozen=True)
class Seen:
    """What an application answered."""

    status: int
    body: Any

    @property
    def refuses(self) -> bool:
        return 400 <= self.status < 500

    @property
    def locations(self) -> list[list[str]]:
        return [error["loc"] for error in self.body["detail"]]


@dataclass(frozen=True)
class Pair:
    """Both applications, holding the same two trades and one scan."""

    legacy: App
    target: httpx.AsyncClient

    async def answers(self, call: Call) -> tuple[Seen, Seen]:
        return self.ask_legacy(call), await self.ask_target(call)

    def ask_legacy(self, call: Call) -> Seen:
        answer = self.legacy.send(call.method, call.address, content_of(call), **headers_of(call, self.legacy))
        return Seen(answer.status, answer.json)

    async def ask_target(self, call: Call) -> Seen:
        headers = headers_of(call, self.legacy)
        answer = await self.target.request(call.method, call.address, content=content_of(call), headers=headers)
        return Seen(answer.status_code, answer.json())

    def reset_legacy(self) -> None:
        self.legacy.sql("DELETE FROM trades")
        for changes in KEPT:
            assert self.legacy.create(**changes).status == 201
        assert self.legacy.send("POST", "/api/trades/2/close?exit_price=5").status == 200
        self.legacy.write("dashboard/scan_results.json", SCAN)


def content_of(call: Call) -> bytes | None:
    return None if call.body is None else json.dumps(call.body).encode()


def headers_of(call: Call, legacy: App) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": legacy.token, **call.headers}


@pytest.fixture(scope="module")
def legacy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with serve_legacy(tmp_path_factory.mktemp("legacy")) as app:
        yield app


@pytest.fixture
async def pair(legacy: App, postgres_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    secret = legacy.system.jwt_secret_file.read_text(encoding="utf-8").strip()
    app = create_app(settings_for(postgres_url, jwt_secret=secret, local_cache_directory=str(tmp_path)))
    async with client_of(app) as client:
        both = Pair(legacy, client)
        both.reset_legacy()
        for changes in KEPT:
            assert (await client.post("/api/trades/", json=TRADE | changes)).status_code == 201
        assert (await client.post("/api/trades/2/close?exit_price=5")).status_code == 200
        async with app.state.database.session() as session:
            generated_at = datetime.fromisoformat(SCAN["generated_at"])
            session.add(Scan(job_id="1", tickers_scanned=0, filters={}, **SCAN | {"generated_at": generated_at}))
        yield both
    await app.state.database.dispose()


@pytest.mark.parametrize("operation", RULES)
async def test_a_rule_of_ours_alone_is_one_that_the_legacy_lacks(pair: Pair, operation: str):
    rules = RULES[operation]
    for own in rules.ours:
        pair.reset_legacy()
        legacy, target = await pair.answers(rules.call.breaking(own))
        assert not legacy.refuses or legacy.status == 400, f"{own}: {legacy}"  # 400: Q1, once the row is stored
        assert target.status == 422, f"{own}: {target}"
        assert [location[: len(own.location)] for location in target.locations] == [own.location]


@pytest.mark.parametrize("operation", RULES)
async def test_what_the_legacy_refuses_is_refused_in_its_words(pair: Pair, operation: str):
    rules = RULES[operation]
    for own, other in rules.pairs():
        legacy, target = await pair.answers(rules.call.breaking(own, other))
        if legacy.refuses:
            assert target == legacy, f"{own}, {other}"
        else:  # its refusal repeats what JSON cannot carry, so it fails
            assert (legacy.status, target.status) == (500, 422), f"{own}, {other}: {legacy} {target}"
            assert target.locations == [other.location], f"{own}, {other}"


async def test_before_any_scan_every_score_finds_nothing(legacy: App, client: httpx.AsyncClient):
    legacy.reset()
    await legacy.system.restart()  # it forgets its scans
    for score in ("inf", "nan"):
        url = f"/api/scanner/results?min_score={score}"
        answer = await client.get(url)
        assert (answer.status_code, answer.json()) == (200, legacy.get(url).json)


async def test_a_name_that_no_answer_can_repeat_is_not_found(client: httpx.AsyncClient):
    answer = await client.post("/api/strategies/run", content=b'{"strategy_name":"a\\ud800b","start_date":"\\u0000"}')
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("Strategy 'a\ufffdb' not found.")
