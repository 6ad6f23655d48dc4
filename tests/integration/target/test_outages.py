"""S3 throttles and the secret store is away, each under load: 503 while it lasts, then on as before, no write lost."""

import asyncio
import itertools
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.retries.standard import ExponentialBackoff
from fastapi import FastAPI
from moto.server import ThreadedMotoServer
from sqlalchemy import text
from target_support import client_of, settings_for

from target.app import create_app
from target.jobs.queue import JobQueue
from tests.builders.failing_aws import FailingAws, Mood

CLIENTS = 4
TRADE = {"ticker": "QQQ", "direction": "BUY", "quantity": 1, "entry_price": 2, "entry_date": "2024-03-04"}


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0.01)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FailingAws]:
    endpoint = FailingAws(moto)
    async with endpoint.served() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield endpoint


class UnreadQueue:
    """Stands in for SQS: jobs are accepted, and nobody runs them here."""

    async def send(self, job_id: str) -> None:
        assert job_id


class Load:
    """Clients that send one request after another and count how they were answered; all are awaited at the end."""

    def __init__(self, app: FastAPI, send: Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]) -> None:
        self._app, self._send = app, send
        self.answers: Counter[int] = Counter()
        self._numbers = itertools.count()
        self._is_over = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> "Load":
        self._clients = [asyncio.create_task(self._run()) for _ in range(CLIENTS)]
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._is_over = True
        await asyncio.gather(*self._clients)

    async def until(self, *, status: int, more: int) -> None:
        """Return once so many more requests were answered so, or raise what a client found."""
        wanted = self.answers[status] + more
        while self.answers[status] < wanted and not any(client.done() for client in self._clients):
            self._news.clear()
            await self._news.wait()

    async def _run(self) -> None:
        async with client_of(self._app) as client:
            while not self._is_over:
                try:
                    self._count(await self._send(client, next(self._numbers)))
                finally:
                    self._news.set()

    def _count(self, answer: httpx.Response) -> None:
        assert answer.status_code in {200, 201, 503}, answer.text
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "2"
            assert answer.json() == {"detail": "Service temporarily unavailable, please retry"}
        self.answers[answer.status_code] += 1


async def count_rows(app: FastAPI, table: str) -> int:
    async with app.state.database.session() as session:
        return int(await session.scalar(text(f"SELECT count(*) FROM {table}")))


@pytest.mark.timeout(60)
async def test_a_throttling_s3_is_503_and_every_accepted_order_is_there_once(
    aws: FailingAws, moto: str, postgres_url: str
):
    bucket = f"cache-{uuid4()}"
    client = boto3.client("s3", endpoint_url=moto, region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    client.close()
    app = create_app(settings_for(postgres_url, use_s3_cache=True, s3_bucket_name=bucket))
    app.state.jobs = JobQueue(app.state.database, UnreadQueue())

    async def order(client: httpx.AsyncClient, number: int) -> httpx.Response:
        return await client.post("/api/data/refresh", json={"tickers": [f"T{number}"]})

    async with Load(app, order) as load:
        await load.until(status=200, more=2 * CLIENTS)
        aws.mood = Mood.THROTTLING
        await load.until(status=503, more=2 * CLIENTS)
        aws.mood = Mood.WELL
        await load.until(status=200, more=2 * CLIENTS)
    assert aws.refused > load.answers[503]  # each was tried again
    assert await count_rows(app, "jobs") == load.answers[200]
    await app.state.objects.close()
    await app.state.database.dispose()


@pytest.mark.timeout(60)
async def test_an_unreachable_secret_store_is_503_where_nothing_is_known_and_no_matter_where_it_is(
    aws: FailingAws, moto: str, postgres_url: str
):
    name = f"potential-parakeet/{uuid4()}"
    client = boto3.client("secretsmanager", endpoint_url=moto, region_name="us-east-1")
    client.create_secret(Name=name, SecretString=json.dumps({"NEON_DATABASE_URL": postgres_url}))
    client.close()
    settings = settings_for("", is_lambda=True, aws_secrets_manager_name=name, secrets_cache_ttl_s=0.1)
    app = create_app(settings)

    async def create(client: httpx.AsyncClient, number: int) -> httpx.Response:
        return await client.post("/api/trades/", json={**TRADE, "trade_id": f"T-{number}"})

    aws.mood = Mood.GONE
    async with Load(app, create) as load:
        await load.until(status=503, more=2 * CLIENTS)
        assert load.answers[201] == 0
        aws.mood = Mood.WELL
        await load.until(status=201, more=2 * CLIENTS)
        aws.mood = Mood.GONE
        refused = load.answers[503]
        await asyncio.sleep(2 * settings.secrets_cache_ttl_s)  # what is known is old by now
        await load.until(status=201, more=2 * CLIENTS)
        assert load.answers[503] == refused
    assert await count_rows(app, "trades") == load.answers[201]
    await app.state.database.dispose()
