"""An S3 bucket below one prefix, as the target of objects."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from harness.domain.errors import ConfigurationError, DataRefused, SystemUnavailable
from harness.uninterrupted import run_to_its_end

_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_NOT_FOUND = frozenset({"NoSuchBucket", "404"})

T = TypeVar("T")


class ObjectBucket:
    """Keys are relative to the prefix. `client` is boto3's for S3.

    No request is under way any more when a call returns or raises, though it be cancelled.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    async def list_keys(self) -> Sequence[str]:
        """Every key below the prefix, in order.

        Raises:
            ConfigurationError: there is no such bucket.
            SystemUnavailable: S3 refuses or does not answer.
        """
        return list(await self.list_versions())

    async def list_versions(self) -> Mapping[str, str]:
        """Every key below the prefix, in order, with what tells its version; raises as `list_keys`."""
        return await self._in_thread(lambda: dict(self._listed()))

    async def read(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of these objects, all of which have to be there; raises as `list_keys`."""
        return {key: await self._in_thread(partial(self._get, key)) for key in keys}

    async def read_present(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The contents of those of these objects that are there; raises as `list_keys`."""
        found = {key: await self._in_thread(partial(self._find, key)) for key in keys}
        return {key: body for key, body in found.items() if body is not None}

    async def put_new(self, key: str, body: bytes) -> None:
        """Writes an object that is not there yet.

        Raises:
            DataRefused: it is there by now; it was left as it is.
            ConfigurationError, SystemUnavailable: as `list_keys`.
        """
        await self._in_thread(lambda: self._put(key, body))

    async def remove(self, key: str) -> None:
        """Removes an object; raises as `list_keys`."""
        await self._in_thread(lambda: self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        with self._told():
            return await run_to_its_end(asyncio.to_thread(work))

    def _listed(self) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                yield entry["Key"].removeprefix(self._prefix), entry["ETag"]

    def _get(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
        return body

    def _find(self, key: str) -> bytes | None:
        try:
            return self._get(key)
        except self._client.exceptions.NoSuchKey:
            return None

    def _put(self, key: str, body: bytes) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) not in _TAKEN:
                raise
            hint = "Stop what writes to the bucket meanwhile, then migrate again."
            raise DataRefused("somebody else wrote this object meanwhile", where=self._place(key), hint=hint) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if _code(error) in _NOT_FOUND:
                hint = "Create it with terraform apply, or correct its name; AWS_ENDPOINT_URL chooses another S3."
                raise ConfigurationError("there is no such bucket", where=self._place(), hint=hint) from error
            hint = "Check the credentials and what their policy allows for this bucket."
            raise SystemUnavailable(f"S3 refuses: {_code(error)}", where=self._place(), hint=hint) from error
        except BotoCoreError as error:
            hint = "Check the network path, the credentials and AWS_ENDPOINT_URL."
            raise SystemUnavailable(f"S3 does not answer: {error}", where=self._place(), hint=hint) from error

    def _place(self, key: str = "") -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown error"))
