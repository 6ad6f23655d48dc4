"""The handler as Lambda runs it: a payload 2.0 event in, an answer out, credentials from Secrets Manager."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from target_support import ROOT, client_of

from target.app import create_app
from target.errors import SecretsUnavailable
from target.secrets import SecretStore
from target.settings import Settings

SECRET_NAME = f"potential-parakeet/{uuid4()}"

PROGRAM = """
import json, sys
from importlib import import_module
from types import SimpleNamespace
handler = import_module(f"target.functions.{sys.argv[1]}.handler").handler
loaded = sorted(sys.modules)
context = SimpleNamespace(
    function_name=sys.argv[1], memory_limit_in_mb=512, aws_request_id="r", invoked_function_arn="arn"
)
answers = [handler(event, context) for event in json.load(sys.stdin)]
print(json.dumps({"answers": answers, "loaded": loaded}))
"""


def event(method: str, path: str, query: str = "", body: Any = None) -> dict[str, Any]:
    headers = {"host": "api.test", "x-forwarded-proto": "https", "content-type": "application/json"}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "requestId": "corr-1",
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


@pytest.fixture
def moto_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    for name, value in (
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    yield url
    server.stop()


def store_secret(dsn: str) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name=SECRET_NAME, SecretString=json.dumps({"NEON_DATABASE_URL": dsn}))
    client.close()


def invoke(
    events: list[dict[str, Any]], moto_url: str, *, secret: str = SECRET_NAME, function: str = "trades"
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run the handler in a process of its own; return what it answered and its log lines."""
    environment = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_SECRETS_MANAGER_NAME": secret,
        "USE_NEON": "true",
        "PATH": "/usr/bin:/bin",
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, function],
        input=json.dumps(events),
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return lines[-1], lines[:-1]


def test_the_handler_serves_trades_from_the_secrets_database(moto_url: str, postgres_url: str):
    store_secret(postgres_url)
    trade = {"trade_id": "L", "ticker": "qqq", "direction": "BUY", "quantity": 1, "entry_price": 2,
             "entry_date": "2024-01-01"}  # fmt: skip
    said, logged = invoke(
        [
            event("POST", "/api/trades/", body=trade),
            event("GET", "/api/trades/", "ticker=QQQ"),
            event("GET", "/api/trades/ 1"),
            event("GET", "/api/trades"),
            event("GET", "/nope"),
        ],
        moto_url,
    )
    created, listed, read, redirected, unknown = said["answers"]
    assert created["statusCode"] == 201
    assert json.loads(listed["body"])["total"] == 1
    assert json.loads(read["body"]) == json.loads(created["body"])
    assert (redirected["statusCode"], redirected["headers"]["location"]) == (307, "https://api.test/api/trades/")
    assert (unknown["statusCode"], json.loads(unknown["body"])) == (404, {"detail": "Not Found"})
    requests = [line for line in logged if "duration_ms" in line]
    assert next(line["message"] for line in requests) == "POST /api/trades/ 201"
    assert {line["correlation_id"] for line in requests} == {"corr-1"}
    assert {line["function"] for line in requests} == {"trades"}


def test_nothing_heavy_is_imported_at_init(moto_url: str):
    said, _ = invoke([event("GET", "/health")], moto_url)
    heavy = {
        "boto3",
        "aioboto3",
        "aiobotocore",
        "aiohttp",
        "botocore.session",
        "pandas",
        "pyarrow",
        "numpy",
        "jwt",
        "alembic",
        "aws_xray_sdk",
    }
    assert heavy & set(said["loaded"]) == set()
    assert said["answers"][0]["statusCode"] == 200


def test_what_tells_of_cached_prices_reads_none_and_loads_no_database(moto_url: str):
    said, _ = invoke([event("GET", "/api/universes/US_ETFS")], moto_url, function="data")
    assert said["answers"][0]["statusCode"] == 200
    assert "target.storage.price_listing" in said["loaded"]
    assert {"numpy", "pyarrow", "target.quant.prices", "sqlalchemy", "asyncpg"} & set(said["loaded"]) == set()


@pytest.mark.parametrize("function", ["worker", "ingest"])
def test_what_answers_no_request_imports_no_framework(moto_url: str, function: str):
    said, _ = invoke([], moto_url, function=function)
    assert {"fastapi", "starlette", "mangum"} & set(said["loaded"]) == set()


def test_what_ranks_cached_prices_knows_no_database(moto_url: str):
    said, _ = invoke([event("GET", "/api/quant2/universes-summary")], moto_url, function="quant2")
    assert {"sqlalchemy", "asyncpg", "target.secrets"} & set(said["loaded"]) == set()
    assert said["answers"][0]["statusCode"] == 200


def test_models_of_fastapi_are_left_unbuilt_and_those_of_the_target_are_built():
    program = (
        "import target.functions.trades.handler, fastapi.openapi.models as models, target.schemas.trades as trades;"
        "print(models.Operation.__pydantic_complete__, trades.TradeCreate.__pydantic_complete__)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ended.stdout.split() == ["False", "True"]


def test_an_absent_secret_is_503_and_told_in_the_log_alone(moto_url: str):
    said, logged = invoke([event("GET", "/api/trades/")], moto_url, secret="potential-parakeet/absent")
    (answer,) = said["answers"]
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "2")
    assert "absent" not in answer["body"]
    assert any("create it, or correct AWS_SECRETS_MANAGER_NAME" in line["message"] for line in logged)


async def test_an_unreachable_secret_store_is_503_until_it_is_back(monkeypatch: pytest.MonkeyPatch, postgres_url: str):
    settings = Settings(is_lambda=True, aws_secrets_manager_name=SECRET_NAME)
    is_up = False

    async def fetch(_settings: Settings, _name: str) -> dict[str, str]:
        if not is_up:
            raise SecretsUnavailable("unreachable")
        return {"NEON_DATABASE_URL": postgres_url.replace("+asyncpg", "")}

    app = create_app(settings)
    app.state.database._secrets = SecretStore(settings, fetch=fetch)
    async with client_of(app) as client:
        assert (await client.get("/api/trades/")).status_code == 503
        is_up = True
        assert (await client.get("/api/trades/")).status_code == 200
    await app.state.database.dispose()
