"""Every error of the layers below has its place in the target's own tree: none escapes as something unforeseen."""

import random
from collections.abc import Awaitable, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from botocore import exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy import exc as sqlalchemy_errors

from target.aws import AwsClient
from target.database.outages import unavailable_as_503
from target.errors import (
    DatabaseUnavailable,
    DependencyUnavailable,
    QueueUnavailable,
    SecretsUnavailable,
    StorageUnavailable,
)
from target.jobs.sqs import SqsSender
from target.market_data.rate_limit import TokenBucket
from target.market_data.retries import RetryPolicy
from target.market_data.transport import FetchFailed, Timing, Transport
from target.secrets import fetch_secret
from target.settings import Settings
from target.storage.bucket import BucketObjects

SETTINGS = Settings(_env_file=None)
AWAY = {"08", "28", "3D", "40", "53", "57"}


def subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def bare(kind: type[Any]) -> Any:
    """An instance without its constructor, whose arguments differ from class to class."""
    return kind.__new__(kind)


AWS_ERRORS = [
    *(bare(kind) for kind in subclasses(BotoCoreError) if kind.__module__ == botocore_errors.__name__),
    *(
        ClientError({"Error": {"Code": code}}, "Any")
        for code in ("SlowDown", "InternalError", "AccessDenied", "ThrottlingException", "NoSuchBucket", "")
    ),
    ConnectionResetError(),
    TimeoutError(),
]


class FailingClient:
    """Any client of AWS; every call fails in the way that the test says."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def __aenter__(self) -> "FailingClient":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        return None

    def fail(self, *_arguments: object) -> str:
        raise self._error

    def __getattr__(self, _name: str) -> Any:
        async def call(**_arguments: object) -> None:
            raise self._error

        return call


@pytest.mark.parametrize("error", AWS_ERRORS, ids=lambda error: type(error).__name__)
async def test_every_error_of_botocore_is_a_dependency_that_is_away(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
):
    client = FailingClient(error)

    async def opened(_self: AwsClient) -> FailingClient:
        return client

    monkeypatch.setattr(AwsClient, "opened", opened)
    monkeypatch.setattr("target.secrets_manager.get_secret_string", client.fail)
    calls: list[tuple[type[Exception], Awaitable[object]]] = [
        (StorageUnavailable, BucketObjects(SETTINGS).find("a")),
        (StorageUnavailable, BucketObjects(SETTINGS).replace("a", b"", over=None)),
        (StorageUnavailable, BucketObjects(SETTINGS).remove("a")),
        (QueueUnavailable, SqsSender("https://queue", "us-east-1").send("1")),
    ]
    if not isinstance(error, ClientError):  # only clients raise it, and the secret is asked for without one
        calls.append((SecretsUnavailable, fetch_secret(SETTINGS, "app/dev")))
    for wanted, call in calls:
        with pytest.raises(wanted) as raised:
            await call
        assert type(raised.value.__cause__) is type(error)  # a thread hands on a copy of a TimeoutError
        assert issubclass(wanted, DependencyUnavailable)


def postgres_errors() -> list[type[asyncpg.PostgresError]]:
    return [kind for kind in subclasses(asyncpg.PostgresError) if getattr(kind, "sqlstate", None)]


@pytest.mark.parametrize("kind", postgres_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_postgresql_is_either_away_or_a_defect(kind: type[asyncpg.PostgresError]):
    wrapped = sqlalchemy_errors.DBAPIError("SELECT secret", {}, kind("its text"))
    is_away = kind.sqlstate[:2] in AWAY
    with (
        pytest.raises(DatabaseUnavailable if is_away else sqlalchemy_errors.DBAPIError) as raised,
        unavailable_as_503(),
    ):
        raise wrapped
    assert "secret" not in str(raised.value) or not is_away


@pytest.mark.parametrize("kind", list(subclasses(httpx.RequestError)), ids=lambda kind: kind.__name__)
async def test_every_error_of_httpx_is_a_failure_of_one_ticker(kind: type[httpx.RequestError]):
    def fail(_request: httpx.Request) -> httpx.Response:
        raise kind("its text")

    async def sleep(_seconds: float) -> None:
        return None

    timing = Timing(sleep=sleep, draw=random.Random(1).random)
    async with httpx.AsyncClient(transport=httpx.MockTransport(fail), base_url="http://market.test") as client:
        transport = Transport(
            client=client, bucket=TokenBucket(3_600_000), policy=RetryPolicy(attempts=2), timing=timing
        )
        with pytest.raises(FetchFailed):
            await transport.get_json("/", {}, {})
