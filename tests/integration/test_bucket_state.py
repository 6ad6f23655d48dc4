"""Objects of a bucket, and messages in queues, as the state that a session starts from."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from harness.adapters.bucket_state import BucketState
from harness.adapters.object_bucket import ObjectBucket
from harness.domain.cloud import CloudDefinition, QueueDefinition
from harness.domain.errors import SystemUnavailable
from harness.staging.queues import Queues, create_queues
from tests.builders.interruption import Interruption


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(service: str, endpoint: str) -> Any:
    session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
    return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]


@pytest.fixture
def bucket(endpoint: str) -> Iterator[ObjectBucket]:
    s3, name = client("s3", endpoint), f"test-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="beside", Body=b"not ours")
    yield ObjectBucket(s3, name, "cache/")
    assert s3.get_object(Bucket=name, Key="beside")["Body"].read() == b"not ours"
    s3.close()


async def contents(bucket: ObjectBucket) -> dict[str, bytes]:
    return dict(await bucket.read(await bucket.list_keys()))


async def test_what_was_written_changed_and_removed_is_brought_back(bucket: ObjectBucket) -> None:
    before = {"same": b"1", "changed": b"2", "removed/a": b"3"}
    for key, body in before.items():
        await bucket.put_new(key, body)
    state = BucketState(bucket)
    await state.capture()
    await bucket.remove("changed")
    await bucket.put_new("changed", b"other")
    await bucket.remove("removed/a")
    await bucket.put_new("new/b", b"4")
    await state.restore()
    assert await contents(bucket) == before
    await state.close()


async def test_an_empty_bucket_is_emptied_again(bucket: ObjectBucket) -> None:
    state = BucketState(bucket)
    await state.capture()
    await bucket.put_new("new", b"4")
    await state.restore()
    assert await contents(bucket) == {}


def test_messages_wait_until_they_are_deleted_and_given_up_ones_are_counted_apart(endpoint: str) -> None:
    sqs = client("sqs", endpoint)
    name = f"jobs-{uuid4().hex[:8]}"
    definition = CloudDefinition(
        environment="local",
        region="us-east-1",
        account_id="123456789012",
        functions=(),
        routes=(),
        buckets=(),
        secrets=(),
        queues=(QueueDefinition(name=name, dead_letter=f"{name}-dead"), QueueDefinition(name=f"{name}-dead")),
    )
    create_queues(sqs, definition)
    queues = Queues(sqs, definition)
    addresses = [sqs.get_queue_url(QueueName=queue)["QueueUrl"] for queue in (name, f"{name}-dead")]
    assert (queues.count_waiting(), queues.count_given_up()) == (0, 0)
    sqs.send_message(QueueUrl=addresses[0], MessageBody="work")
    assert queues.count_waiting() == 1
    (message,) = sqs.receive_message(QueueUrl=addresses[0])["Messages"]
    assert queues.count_waiting() == 1
    sqs.delete_message(QueueUrl=addresses[0], ReceiptHandle=message["ReceiptHandle"])
    sqs.send_message(QueueUrl=addresses[1], MessageBody="work")
    assert (queues.count_waiting(), queues.count_given_up()) == (0, 1)
    sqs.close()


@pytest.mark.parametrize("is_late", [False, True], ids=["as it asks", "as the answer comes"])
async def test_a_restore_that_is_cancelled_at_any_moment_is_done_when_it_says_so(
    bucket: ObjectBucket, is_late: bool
) -> None:
    for key in ("a", "b"):
        await bucket.put_new(key, key.encode())
    state = BucketState(bucket)
    await state.capture()
    for at in itertools.count(1):
        await bucket.remove("a")
        await bucket.put_new("c", b"c")
        interruption = Interruption(at, is_late=is_late)
        await interruption.during(state.restore)
        assert await contents(bucket) == {"a": b"a", "b": b"b"}
        if not interruption.has_come:
            break
    assert at > 1
    await state.close()


class OneRefused(ObjectBucket):
    """Refuses one object at once; the others take until they are let."""

    def __init__(self, bucket: ObjectBucket) -> None:
        self._bucket = bucket
        self.may_end = asyncio.Event()
        self.written: list[str] = []

    async def list_versions(self) -> Mapping[str, str]:
        return await self._bucket.list_versions()

    async def read(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self._bucket.read(keys)

    async def put_new(self, key: str, body: bytes) -> None:
        if key == "a":
            raise SystemUnavailable("S3 refuses", where=key)
        await self.may_end.wait()
        await self._bucket.put_new(key, body)
        self.written.append(key)


async def test_a_restore_that_fails_says_so_when_nothing_is_under_way_any_more(bucket: ObjectBucket) -> None:
    for key in ("a", "b"):
        await bucket.put_new(key, key.encode())
    refusing = OneRefused(bucket)
    state = BucketState(refusing)
    await state.capture()
    for key in ("a", "b"):
        await bucket.remove(key)
    asyncio.get_running_loop().call_later(0.05, refusing.may_end.set)
    with pytest.raises(SystemUnavailable):
        await state.restore()
    assert refusing.written == ["b"]
