"""What is too large is refused, what is just not too large is served, and neither needs a database."""

from collections.abc import AsyncIterator

import httpx
import pytest
from target_support import client_of, settings_for

from target.app import create_app
from target.limits import LARGEST_HEADERS_BYTES, LONGEST_ADDRESS_BYTES
from target.schemas.fields import LONGEST_TICKER, MOST_TICKERS

MAX_BODY = 2_000


@pytest.fixture
async def client(sqlite_url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings_for(sqlite_url, max_body_bytes=MAX_BODY))
    async with client_of(app) as opened:
        yield opened
    await app.state.database.dispose()


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body whose length no header tells."""
    for start in range(0, size, 100):
        yield b" " * min(100, size - start)


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 422), (MAX_BODY + 1, 413)])
async def test_a_body_beyond_the_limit_is_413_declared_or_not(client: httpx.AsyncClient, size: int, status: int):
    for content in (b" " * size, in_pieces(size)):
        answer = await client.post("/api/trades/", content=content, headers={"Origin": "http://localhost:3000"})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


async def test_a_body_that_declares_more_than_it_sends_is_413(client: httpx.AsyncClient):
    answer = await client.post("/api/trades/", content=b"{}", headers={"Content-Length": "9" * 30})
    assert (answer.status_code, answer.json()) == (413, {"detail": f"The body is longer than {MAX_BODY} bytes"})


async def test_a_body_in_pieces_arrives_whole(client: httpx.AsyncClient):
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"strategy_', b'name": "no', b'such"}'):
            yield piece

    answer = await client.post("/api/strategies/run", content=pieces(), headers={"Content-Type": "application/json"})
    assert "'nosuch' not found" in answer.json()["detail"]


async def test_an_address_or_headers_beyond_the_limit_are_refused(client: httpx.AsyncClient):
    room = LONGEST_ADDRESS_BYTES - len("/apix=")
    assert (await client.get("/api?x=" + "y" * room)).status_code == 200
    assert (await client.get("/api?x=" + "y" * (room + 1))).status_code == 414
    assert (await client.get("/api", headers={"X": "y" * (LARGEST_HEADERS_BYTES // 2)})).status_code == 200
    assert (await client.get("/api", headers={"X": "y" * LARGEST_HEADERS_BYTES})).status_code == 431


@pytest.mark.parametrize(
    ("path", "field"),
    [("/api/data/refresh", "tickers"), ("/api/strategies/run", "tickers")],
    ids=["data", "strategies"],
)
async def test_a_list_of_too_many_or_too_long_tickers_is_422(sqlite_url: str, path: str, field: str):
    app = create_app(settings_for(sqlite_url))
    async with client_of(app) as client:
        for tickers, kind in (
            (["A"] * (MOST_TICKERS + 1), "too_long"),
            (["A" * (LONGEST_TICKER + 1)], "string_too_long"),
            (["A\x00"], "nul_character"),
        ):
            answer = await client.post(path, json={"strategy_name": "HRP", field: tickers})
            assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, kind)


async def test_nesting_beyond_the_parser_is_an_answer(sqlite_url: str):
    app = create_app(settings_for(sqlite_url))
    async with client_of(app) as client:
        for nested in ("[" * 100_000, '{"a":' * 50_000, "[" * 400_000 + "]" * 400_000):
            answer = await client.post("/api/trades/", content=nested, headers={"Content-Type": "application/json"})
            assert answer.status_code in {400, 422}
