"""The worker's own process between a real queue and a real database: killed in the middle, its job is run again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import text
from target_support import ROOT, client_of, settings_for

from legacy_adapter.local_market import LocalMarket, MarketSettings
from target.app import create_app
from target.jobs.sqs import SqsSender
from target.observability.correlation import correlated

REGION = "us-east-1"
TIMEOUT_S = 60
ORDER = {"strategy_name": "HRP", "tickers": ["SPY", "TLT"], "start_date": "2024-01-02", "end_date": "2024-12-30"}

# What Lambda does with a handler: it is given an event and a context, and what it returns is the answer.
INVOKE = """
import json, sys
from types import SimpleNamespace
from target.functions.worker.handler import handler
facts = dict(function_name="worker", memory_limit_in_mb=1769, invoked_function_arn="arn", aws_request_id="1")
answer = handler(json.load(sys.stdin), SimpleNamespace(**facts))
print(json.dumps(answer))
"""


@pytest.fixture
def queue_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty queue in an SQS of this test's own, in which what is received can be received again at once."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    client = boto3.client("sqs", region_name=REGION)
    yield client.create_queue(QueueName=f"jobs-{uuid4().hex}", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    client.close()
    server.stop()


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[LocalMarket]:
    started = LocalMarket(MarketSettings(log_path=tmp_path / "market.log", seed=7))
    await started.start()
    yield started
    await started.stop()


@asynccontextmanager
async def silent_market() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A market that takes questions and answers none, and an event that is set once it was asked."""
    asked = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()  # until the worker is gone
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def start_worker(event: dict[str, Any], postgres_url: str, market_url: str, cache: Path) -> Any:
    environment = {
        **os.environ,
        "DATABASE_URL": postgres_url,
        "USE_NEON": "false",
        "IS_LAMBDA": "true",
        "AWS_SECRETS_MANAGER_NAME": "",
        "API_KEYS_SECRET_NAME": "",
        "TIINGO_API_KEY": "a token",
        "TIINGO_BASE_URL": market_url,
        "YAHOO_BASE_URL": market_url,
        "USE_S3_CACHE": "false",
        "LOCAL_CACHE_DIRECTORY": str(cache),
    }
    pipe = asyncio.subprocess.PIPE
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", INVOKE), cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(event).encode())
    worker.stdin.write_eof()
    return worker


def receive(queue_url: str) -> list[dict[str, Any]]:
    client = boto3.client("sqs", region_name=REGION)
    found = client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    client.close()
    return list(found)


def event_of(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Records": [{"messageId": each["MessageId"], "body": each["Body"]} for each in messages]}


async def status_of(client: httpx.AsyncClient) -> str:
    return str((await client.get("/api/strategies/HRP/status")).json()["status"])


async def test_a_job_whose_worker_is_killed_is_delivered_again_and_completed_once(
    queue_url: str, postgres_url: str, market: LocalMarket, tmp_path: Path
):
    app = create_app(settings_for(postgres_url, jobs_queue_url=queue_url, aws_region=REGION))
    async with client_of(app) as client:
        assert (await client.post("/api/strategies/run", json=ORDER)).status_code == 200
        assert await status_of(client) == "running"
        async with silent_market() as (silent_url, asked), asyncio.timeout(TIMEOUT_S):
            worker = await start_worker(event_of(receive(queue_url)), postgres_url, silent_url, tmp_path)
            await asked.wait()
            worker.send_signal(signal.SIGKILL)
            await worker.communicate()
        assert await status_of(client) == "running"

        event = event_of(receive(queue_url))
        event["Records"] *= 2  # and what SQS may also do: deliver twice
        async with asyncio.timeout(TIMEOUT_S):
            worker = await start_worker(event, postgres_url, market.url_for("worker"), tmp_path)
            answer, log = await worker.communicate()
        assert json.loads(answer.splitlines()[-1]) == {"batchItemFailures": []}, log.decode()
        assert await status_of(client) == "completed"
        results = (await client.get("/api/strategies/HRP/results")).json()
        assert sorted(results["weights"]) == ["SPY", "TLT"]
    async with app.state.database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM backtests")) == 1
        assert await session.scalar(text("SELECT attempts FROM jobs")) == 2
    await app.state.database.dispose()


async def test_a_message_names_the_job_and_the_request_it_came_of(queue_url: str):
    sender = SqsSender(queue_url, REGION)
    with correlated("request-7"):
        await sender.send("a job")
    await sender.close()
    (message,) = receive(queue_url)
    assert json.loads(message["Body"]) == {"job_id": "a job", "correlation_id": "request-7"}


async def test_a_queue_that_is_not_there_is_a_503_and_the_status_tells(queue_url: str, postgres_url: str):
    app = create_app(settings_for(postgres_url, jobs_queue_url=f"{queue_url}-gone", aws_region=REGION))
    async with client_of(app) as client:
        answer = await client.post("/api/strategies/run", json=ORDER)
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        assert await status_of(client) == "failed: The job could not be queued, please retry"
    await app.state.database.dispose()
