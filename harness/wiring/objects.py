"""The commands on objects with a real directory and a real bucket: migrate, parity."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from harness.adapters.object_bucket import ObjectBucket
from harness.adapters.object_directory import ObjectDirectory
from harness.adapters.parquet import read_object
from harness.domain.compare_objects import compare_objects
from harness.domain.difference import Difference
from harness.domain.objects import ObjectState, fits
from harness.domain.redacted_objects import redact_object_difference
from harness.domain.redaction import Redactor
from harness.engine.migrate_objects import ObjectMigration, migrate_objects
from harness.settings import ObjectsSettings

_CLIENT = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4, "mode": "standard"})


async def migrate_directory(
    legacy_cache: Path, bucket: ObjectBucket, objects: ObjectsSettings, *, is_dry_run: bool = False
) -> ObjectMigration:
    """Carries a directory into a bucket; see `harness.engine.migrate_objects.migrate_objects`."""
    source = ObjectDirectory(legacy_cache, objects.files)
    return await migrate_objects(source, bucket, read_object=read_object, is_dry_run=is_dry_run)


async def compare_stored_objects(
    legacy_cache: Path, bucket: ObjectBucket, objects: ObjectsSettings
) -> tuple[ObjectState, Iterator[Difference]]:
    """The legacy's objects, and every difference of the target's from them.

    The target may hold others: what it keeps beside is its own. Values of secret columns are told as marks.
    """
    legacy = await ObjectDirectory(legacy_cache, objects.files).read()
    present = set(await bucket.list_keys())
    target = await bucket.read([key for key in legacy if key in present])
    read = [{key: read_object(key, body) for key, body in side.items()} for side in (legacy, target)]
    redactor = Redactor(key=secrets.token_bytes(32))
    return read[0], (redact_object_difference(each, redactor) for each in compare_objects(*read))


async def list_beside(legacy: ObjectState, bucket: ObjectBucket, objects: ObjectsSettings) -> tuple[str, ...]:
    """The keys below the prefix that the patterns mean and that the legacy has no file for, in order."""
    return tuple(key for key in await bucket.list_keys() if key not in legacy and fits(key, objects.files))


def bucket_of_session(name: str, prefix: str) -> ObjectBucket:
    """The bucket that this machine's AWS credentials and AWS_ENDPOINT_URL lead to."""
    client: Any = boto3.client("s3", config=_CLIENT)
    return ObjectBucket(client, name, prefix)
