"""The AWS services of the local cloud: moto, as a process of its own on loopback.

Only dummy credentials are ever used, and they are passed explicitly: whatever this machine is logged in to stays out.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import boto3
from botocore.config import Config

from harness.child import Child, free_port
from harness.domain.cloud import BucketDefinition, CloudDefinition
from harness.domain.errors import SystemUnavailable
from harness.staging.log_streams import log_group_of
from harness.staging.queues import create_queues

ACCESS_KEY_ID = "local"
SECRET_ACCESS_KEY = "local"  # noqa: S105 - moto takes any; nothing real ever does

_START_TIMEOUT_S = 60.0
_ATTEMPTS = 3
_POLL_S = 0.05
_CLIENT = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"max_attempts": 2, "mode": "standard"},
    s3={"addressing_style": "path"},
)


class LocalAws:
    """A moto server and what the definition puts into it."""

    def __init__(self, log_path: Path, *, region: str = "us-east-1") -> None:
        self._log_path = log_path
        self._region = region
        self._child: Child | None = None
        self.endpoint = ""

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes while it runs."""
        return (self._child.pid,) if self._child else ()

    async def start(self) -> None:
        """Starts moto on a free port and returns once it answers, empty.

        Raises:
            SystemUnavailable: it did not start; carries its last lines.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            port = free_port()
            self.endpoint = f"http://127.0.0.1:{port}"
            argv = [sys.executable, "-m", "harness.staging.moto_server", "-H", "127.0.0.1", "-p", str(port)]
            self._child = Child.start(argv, name="moto", log_path=self._log_path, env=_environment(port))
            try:
                await self._until_ready(self._child)
                return
            except SystemUnavailable:
                await self.stop()
                if attempt == _ATTEMPTS:
                    raise

    async def stop(self) -> None:
        """Ends moto and all that it held; safe to call twice."""
        child, self._child = self._child, None
        if child:
            await child.stop()

    async def provision(self, definition: CloudDefinition) -> None:
        """Creates the definition's buckets, log groups and queues, and its secrets, still without a value."""
        self._region = definition.region
        await asyncio.to_thread(self._provision, definition)

    async def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """Gives the secret of that name a new current value, as the JSON object that the functions read."""
        client = await asyncio.to_thread(self.client, "secretsmanager")
        await asyncio.to_thread(client.put_secret_value, SecretId=name, SecretString=json.dumps(dict(value)))

    def client(self, service: str) -> Any:
        """A boto3 client of that service, bound to this server and to the dummy credentials."""
        return client(service, endpoint=self.endpoint, region=self._region)

    def _provision(self, definition: CloudDefinition) -> None:
        s3 = self.client("s3")
        for bucket in definition.buckets:
            _create_bucket(s3, bucket, definition.region)
        secrets = self.client("secretsmanager")
        for secret in definition.secrets:
            secrets.create_secret(Name=secret.name)
        logs = self.client("logs")
        for function in definition.functions:
            logs.create_log_group(logGroupName=log_group_of(function.name))
        if definition.queues:
            create_queues(self.client("sqs"), definition)

    async def _until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while child.exit_status is None and time.monotonic() < deadline:
                try:
                    async with session.get(f"{self.endpoint}/moto-api/data.json") as response:
                        if response.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_POLL_S)
        raise SystemUnavailable(
            "moto did not start", where=str(self._log_path), hint=f"Its last lines: {child.tail(5)}"
        )


def client(service: str, *, endpoint: str, region: str, access_key_id: str = ACCESS_KEY_ID) -> Any:
    """A boto3 client that talks to `endpoint` with dummy credentials, whatever the environment says."""
    session = boto3.session.Session(
        aws_access_key_id=access_key_id, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=region
    )
    return session.client(service, endpoint_url=endpoint, config=_CLIENT)  # type: ignore[call-overload]


def _environment(port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    # AWS's own managed policies exist, as they do in every account.
    return {**kept, "MOTO_PORT": str(port), "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


def _create_bucket(s3: Any, bucket: BucketDefinition, region: str) -> None:
    # us-east-1 is the one region that must not be named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket.name, **place)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket.name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    if bucket.policy:
        s3.put_bucket_policy(Bucket=bucket.name, Policy=bucket.policy)
    if bucket.is_versioned:
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    if bucket.cors_origins:
        allowed = {"AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": list(bucket.cors_origins)}
        s3.put_bucket_cors(Bucket=bucket.name, CORSConfiguration={"CORSRules": [allowed]})
