"""One connection, contended writes, and a database that goes away and comes back."""

import asyncio
import gc
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession
from target_support import client_of, settings_for

from target.app import create_app

GOOD = {
    "trade_id": "D-1",
    "ticker": "QQQ",
    "direction": "BUY",
    "quantity": 10,
    "entry_price": 100.5,
    "entry_date": "2024-03-04T10:30:00",
}


class Proxy:
    """A TCP door in front of the server's Unix socket that can be shut, connections and all, and opened again."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(self._socket_path)
        self._open |= {writer, inner_writer}
        try:
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        finally:
            self._open -= {writer, inner_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def proxy(postgres_dsn: str) -> AsyncIterator[Proxy]:
    url = make_url(postgres_dsn)
    host = url.query.get("host")
    if not isinstance(host, str) or not host.startswith("/"):
        pytest.skip("the PostgreSQL of this run has no Unix socket to put a proxy in front of")
    proxy = Proxy(f"{host}/.s.PGSQL.{url.query.get('port', 5432)}")
    await proxy.open()
    yield proxy
    await proxy.shut()


async def test_two_requests_at_once_share_one_connection(client: httpx.AsyncClient):
    answers = await asyncio.gather(*(client.get("/api/trades/") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_race_for_one_trade_id_has_one_winner(postgres_url: str):
    apps = [create_app(settings_for(postgres_url)) for _ in range(4)]
    clients = [client_of(app) for app in apps]
    answers = await asyncio.gather(*(client.post("/api/trades/", json=GOOD) for client in clients * 4))
    for app in apps:
        await app.state.database.dispose()
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 15
    refusal = next(answer for answer in answers if answer.status_code == 400)
    assert refusal.json() == {"detail": "Trade with ID D-1 already exists"}


async def test_a_duplicate_that_slips_past_the_check_is_still_a_400(client: httpx.AsyncClient, monkeypatch):
    assert (await client.post("/api/trades/", json=GOOD)).status_code == 201

    async def sees_nothing(*_arguments: object) -> None:
        return None

    monkeypatch.setattr(AsyncSession, "scalar", sees_nothing)
    answer = await client.post("/api/trades/", json=GOOD)
    assert (answer.status_code, answer.json()) == (400, {"detail": "Trade with ID D-1 already exists"})


async def test_a_race_to_close_has_one_winner(postgres_url: str):
    apps = [create_app(settings_for(postgres_url)) for _ in range(4)]
    clients = [client_of(app) for app in apps]
    row_id = (await clients[0].post("/api/trades/", json=GOOD)).json()["id"]
    path = f"/api/trades/{row_id}/close?exit_price="
    answers = await asyncio.gather(*(client.post(f"{path}{101 + n}") for n, client in enumerate(clients)))
    for app in apps:
        await app.state.database.dispose()
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]


async def test_a_lost_commit_is_never_answered_with_success(client: httpx.AsyncClient, app: FastAPI):
    assert (await client.get("/api/trades/")).status_code == 200
    engine = app.state.database._engine.sync_engine

    def lose(_connection: object) -> None:
        raise ConnectionResetError

    event.listen(engine, "commit", lose)
    answer = await client.post("/api/trades/", json=GOOD)
    event.remove(engine, "commit", lose)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await client.get("/api/trades/")).json()["total"] == 0


async def test_a_database_that_went_away_is_503_and_recovers(postgres_url: str, proxy: Proxy):
    through_proxy = make_url(postgres_url).set(host="127.0.0.1", port=proxy.port, query={})
    app = create_app(settings_for(through_proxy.render_as_string(hide_password=False), is_lambda=True,
                                  aws_secrets_manager_name=""))  # fmt: skip
    async with client_of(app) as client:
        assert (await client.post("/api/trades/", json=GOOD)).status_code == 201
        await proxy.shut()
        for verb, path in (("GET", "/api/trades/"), ("DELETE", "/api/trades/1"), ("GET", "/api/trades/1")):
            answer = await client.request(verb, path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert answer.json() == {"detail": "Service temporarily unavailable, please retry"}
        assert (await client.get("/health")).status_code == 200
        await proxy.open()
        assert (await client.get("/api/trades/")).json()["total"] == 1
    await app.state.database.dispose()


async def test_a_connection_that_the_server_ended_is_replaced_unnoticed(postgres_url: str):
    app, other = (create_app(settings_for(postgres_url, is_lambda=True, aws_secrets_manager_name="")) for _ in "ab")
    async with client_of(app) as client:
        assert (await client.get("/api/trades/")).status_code == 200
        async with other.state.database.session() as session:
            ended = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
            )
            await session.execute(text(ended + "current_database()"))
        assert (await client.get("/api/trades/")).status_code == 200
    for each in (app, other):
        await each.state.database.dispose()


# The first loop's connection dies with it, unclosed: nobody is left who could close it.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_one_application_serves_two_loops_in_turn(database_url: str):
    app = create_app(settings_for(database_url))

    async def serve(*, last: bool) -> int:
        async with client_of(app) as client:
            status = (await client.get("/api/trades/")).status_code
        if last:
            await app.state.database.dispose()
        return status

    assert asyncio.run(serve(last=False)) == 200
    assert asyncio.run(serve(last=True)) == 200
    gc.collect()


async def test_a_lambda_holds_one_connection(app: FastAPI, client: httpx.AsyncClient):
    await asyncio.gather(*(client.get("/api/trades/") for _ in range(5)))
    engine = app.state.database._engine
    if engine.dialect.name == "postgresql":
        assert (engine.pool.size(), engine.pool._max_overflow) == (1, 0)
