"""Both stores of objects: whole versions, conditional writes, reuse, and what they say when they cannot."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from botocore.retries.standard import ExponentialBackoff
from moto.server import ThreadedMotoServer

from target.errors import StorageUnavailable
from target.settings import Settings
from target.storage.bucket import BucketObjects
from target.storage.directory import DirectoryObjects
from target.storage.objects import ObjectChanged, ObjectStore, open_objects

SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dummy credentials and nothing of this machine's configuration."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)


@pytest.fixture(scope="module")
def _moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket_name(aws: None, _moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of this test's own, in the one server that the environment leads to."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", _moto)
    name = f"test-{uuid4().hex}"
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket=name)
    client.close()
    return name


def settings(bucket: str = "nobodys", **changes: object) -> Settings:
    return Settings(_env_file=None, s3_bucket_name=bucket, **changes)  # type: ignore[arg-type,call-arg]


@pytest.fixture(params=["directory", "bucket"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "directory":
        yield DirectoryObjects(tmp_path / "cache")
        return
    bucket = BucketObjects(settings(request.getfixturevalue("bucket_name")))
    yield bucket
    await bucket.close()


async def test_what_was_written_is_found(objects: ObjectStore) -> None:
    assert await objects.find("prices.parquet") is None
    etag = await objects.replace("prices.parquet", b"one", over=None)
    found = await objects.find("prices.parquet")
    assert found is not None
    assert (found.key, found.etag, found.body) == ("prices.parquet", etag, b"one")


async def test_a_known_version_is_not_sent_again(objects: ObjectStore) -> None:
    etag = await objects.replace("prices.parquet", b"one", over=None)
    known = await objects.find("prices.parquet")
    assert await objects.find("prices.parquet", known) is known
    await objects.replace("prices.parquet", b"two", over=etag)
    newer = await objects.find("prices.parquet", known)
    assert newer is not None and newer.body == b"two"


async def test_a_new_object_never_goes_over_one_that_is_there(objects: ObjectStore) -> None:
    await objects.replace("prices.parquet", b"one", over=None)
    with pytest.raises(ObjectChanged):
        await objects.replace("prices.parquet", b"two", over=None)
    found = await objects.find("prices.parquet")
    assert found is not None and found.body == b"one"


async def test_a_version_that_is_not_current_any_more_is_not_replaced(objects: ObjectStore) -> None:
    first = await objects.replace("prices.parquet", b"one", over=None)
    await objects.replace("prices.parquet", b"two", over=first)
    with pytest.raises(ObjectChanged):
        await objects.replace("prices.parquet", b"three", over=first)


async def test_a_version_that_was_removed_is_not_replaced(objects: ObjectStore) -> None:
    etag = await objects.replace("prices.parquet", b"one", over=None)
    await objects.remove("prices.parquet")
    await objects.remove("prices.parquet")
    with pytest.raises(ObjectChanged):
        await objects.replace("prices.parquet", b"two", over=etag)
    assert await objects.find("prices.parquet") is None


async def test_of_many_writers_at_once_exactly_one_succeeds(objects: ObjectStore) -> None:
    async def write(number: int) -> bool:
        try:
            await objects.replace("prices.parquet", bytes([number]) * 10_000, over=None)
        except ObjectChanged:
            return False
        return True

    assert sum(await asyncio.gather(*map(write, range(8)))) == 1


async def test_lists_are_by_key_and_the_top_is_told_from_what_lies_below(objects: ObjectStore) -> None:
    for key in ("us.json", "generations/b/close", "generations/a/close", "a.parquet"):
        await objects.replace(key, b"1234", over=None)
    assert [info.key for info in await objects.list_objects()] == [
        *("a.parquet", "generations/a/close", "generations/b/close", "us.json")
    ]
    assert [info.key for info in await objects.list_objects("generations/b")] == ["generations/b/close"]
    top = await objects.list_top()
    assert [(info.key, info.size_bytes) for info in top] == [("a.parquet", 4), ("us.json", 4)]
    found = await objects.find("a.parquet")
    assert found is not None and found.etag == top[0].etag


async def test_an_empty_store_lists_nothing(objects: ObjectStore) -> None:
    assert (await objects.list_objects(), await objects.list_top()) == ([], [])


def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    assert isinstance(open_objects(settings(use_s3_cache=True)), BucketObjects)
    local = open_objects(settings(local_cache_directory=str(tmp_path / "none")))
    assert isinstance(local, DirectoryObjects)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("key", ["/etc/passwd", "../secret", "a/../../b", ""])
async def test_no_key_leads_out_of_the_directory(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no key of an object"):
        await DirectoryObjects(tmp_path).find(key)


async def test_a_directory_that_is_none_is_unavailable_and_says_which_setting(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageUnavailable, match="LOCAL_CACHE_DIRECTORY"):
        await DirectoryObjects(tmp_path / "cache").replace("a", b"1", over=None)


async def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = DirectoryObjects(tmp_path)
    etag = await objects.replace("a", b"old", over=None)
    monkeypatch.setattr("os.fsync", _raise_disk_full)
    with pytest.raises(StorageUnavailable, match="No space left"):
        await objects.replace("a", b"new", over=etag)
    assert sorted(os.listdir(tmp_path)) == [".lock", "a"]  # noqa: PTH208 - nothing is awaited meanwhile
    found = await objects.find("a")
    assert found is not None and found.body == b"old"


def _raise_disk_full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


async def test_a_missing_bucket_is_unavailable_and_says_what_to_do(bucket_name: str) -> None:
    bucket = BucketObjects(settings("nobodys", s3_cache_prefix="x/"))
    with pytest.raises(StorageUnavailable, match=re.escape("s3://nobodys/x/ (NoSuchBucket): create the bucket")):
        await bucket.find("a")
    await bucket.close()


class Throttling:
    """S3 that refuses so many requests before it answers."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.requests = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.requests += 1
        if self.requests <= self.refusals:
            return web.Response(status=503, text=SLOW_DOWN, content_type="application/xml")
        return web.Response(body=b"prices", headers={"ETag": '"e"'})


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of each attempt that was waited after; nothing is really waited for."""
    seen: list[int] = []

    def delay(_self: object, context: object) -> float:
        seen.append(context.attempt_number)  # type: ignore[attr-defined]
        return 0.0

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", delay)
    return seen


async def throttled(refusals: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Throttling, TestServer]:
    throttling = Throttling(refusals)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", throttling.answer)
    server = TestServer(application, host="127.0.0.1")
    await server.start_server()
    monkeypatch.setenv("AWS_ENDPOINT_URL", str(server.make_url("")))
    return throttling, server


async def test_throttling_is_waited_out(aws: None, waits: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    throttling, server = await throttled(2, monkeypatch)
    bucket = BucketObjects(settings())
    found = await bucket.find("a")
    assert found is not None and found.body == b"prices"
    assert (waits, throttling.requests) == ([1, 2], 3)
    await bucket.close()
    await server.close()


async def test_throttling_without_end_is_unavailable_after_a_few_tries(
    aws: None, waits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    throttling, server = await throttled(1_000, monkeypatch)
    bucket = BucketObjects(settings())
    for attempt in (bucket.find("a"), bucket.replace("a", b"", over=None), bucket.list_objects(), bucket.remove("a")):
        with pytest.raises(StorageUnavailable, match="SlowDown"):
            await attempt
    assert throttling.requests == 16
    await bucket.close()
    await server.close()


async def test_a_bucket_out_of_reach_is_unavailable_and_comes_back(
    aws: None, waits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    throttling, server = await throttled(0, monkeypatch)
    port = server.port
    await server.close()
    bucket = BucketObjects(settings())
    with pytest.raises(StorageUnavailable, match="EndpointConnectionError"):
        await bucket.find("a")
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", throttling.answer)
    revived = TestServer(application, host="127.0.0.1", port=port)
    await revived.start_server()
    assert await bucket.find("a") is not None
    await bucket.close()
    await revived.close()


def test_a_client_is_not_carried_into_another_loop(bucket_name: str) -> None:
    bucket = BucketObjects(settings(bucket_name))

    async def write_and_close(key: str) -> str:
        etag = await bucket.replace(key, b"1", over=None)
        await bucket.close()
        return etag

    assert asyncio.run(write_and_close("a")) == asyncio.run(write_and_close("b"))
