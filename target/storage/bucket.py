"""Objects in an S3 bucket."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from target.aws import AwsClient, Patience
from target.errors import StorageUnavailable
from target.settings import Settings
from target.storage.objects import ObjectChanged, ObjectInfo, StoredObject

_PATIENCE = Patience(connect_timeout_s=2, read_timeout_s=10, tries=4)
_ABSENT = frozenset({"NoSuchKey", "404"})
_UNCHANGED = frozenset({"NotModified", "304"})
# 409 is S3's answer to conditional writes of one key at the same moment; 404 where the version to replace is gone.
_CHANGED = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}) | _ABSENT


class BucketObjects:
    """An ObjectStore in S3, below S3_CACHE_PREFIX.

    Throttling (SlowDown), 5xx and broken connections are tried again by botocore's standard mode: a few times, each
    after a random wait whose bound doubles. One client serves a process until its loop ends.
    """

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.s3_bucket_name
        self._prefix = settings.s3_cache_prefix
        self._s3 = AwsClient("s3", settings.aws_region, _PATIENCE)

    @property
    def location(self) -> str:
        """The bucket and the prefix."""
        return f"s3://{self._bucket}/{self._prefix}"

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        """See ObjectStore."""
        client = await self._s3.opened()
        condition = {} if known is None else {"IfNoneMatch": known.etag}
        with self._told(key) as missed:
            answer = await client.get_object(Bucket=self._bucket, Key=self._prefix + key, **condition)
            async with answer["Body"] as stream:
                return StoredObject(key=key, etag=answer["ETag"], body=await stream.read())
        return known if missed.code in _UNCHANGED else None

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        """See ObjectStore."""
        client = await self._s3.opened()
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}
        with self._told(key, writing=True):
            answer = await client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=body, **condition)
            return str(answer["ETag"])
        raise ObjectChanged(key)

    async def remove(self, key: str) -> None:
        """See ObjectStore."""
        client = await self._s3.opened()
        with self._told(key):
            await client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    async def list_objects(self, below: str = "") -> Sequence[ObjectInfo]:
        """See ObjectStore."""
        return [info async for info in self._listed(Prefix=self._prefix + below)]

    async def list_top(self) -> Sequence[ObjectInfo]:
        """See ObjectStore."""
        return [info async for info in self._listed(Prefix=self._prefix, Delimiter="/")]

    async def close(self) -> None:
        """Close the client, on the loop that opened it; the next call opens another."""
        await self._s3.close()

    async def _listed(self, **criteria: str) -> AsyncIterator[ObjectInfo]:
        client = await self._s3.opened()
        with self._told(criteria["Prefix"]):
            async for page in client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, **criteria):
                for entry in page.get("Contents", ()):
                    yield self._info(entry)

    def _info(self, entry: dict[str, Any]) -> ObjectInfo:
        return ObjectInfo(
            key=entry["Key"].removeprefix(self._prefix),
            etag=entry["ETag"],
            size_bytes=entry["Size"],
            modified_at=entry["LastModified"],
        )

    @contextmanager
    def _told(self, key: str, *, writing: bool = False) -> Iterator["_Missed"]:
        """Swallow S3's word that there is nothing to read or replace, kept in what is yielded; raise all else."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415 - loaded with the client alone

        missed = _Missed()
        try:
            yield missed
        except ClientError as error:
            missed.code = str(error.response.get("Error", {}).get("Code", ""))
            if missed.code not in (_CHANGED if writing else _ABSENT | _UNCHANGED):
                raise StorageUnavailable(self._explain(key, missed.code)) from error
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise StorageUnavailable(self._explain(key, type(error).__name__)) from error

    def _explain(self, key: str, code: str) -> str:
        hints = {
            "AccessDenied": "allow it in the function's role for this bucket and prefix.",
            "NoSuchBucket": "create the bucket, or correct S3_BUCKET_NAME.",
        }
        hint = hints.get(code, "try again, then see its status and AWS_ENDPOINT_URL.")
        return f"S3 refuses or does not answer for {key!r} in {self.location} ({code or 'unknown error'}): {hint}"


class _Missed:
    """Why there was nothing to read or replace."""

    code = ""
