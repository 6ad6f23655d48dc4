"""The local AWS: it holds what the definition says, and never touches this machine's own credentials."""

from collections.abc import AsyncIterator
from pathlib import Path

import botocore.exceptions
import psutil
import pytest

from harness.domain.cloud import CloudDefinition
from harness.staging.aws import LocalAws
from harness.staging.definition import load_definition

TERRAFORM = Path(__file__).resolve().parents[3] / "terraform"


@pytest.fixture
def definition() -> CloudDefinition:
    return load_definition(TERRAFORM)


@pytest.fixture
async def aws(tmp_path: Path, definition: CloudDefinition) -> AsyncIterator[LocalAws]:
    aws = LocalAws(tmp_path / "moto.log", region=definition.region)
    await aws.start()
    await aws.provision(definition)
    yield aws
    await aws.stop()


async def test_buckets_and_secrets_are_those_of_the_definition(aws: LocalAws, definition: CloudDefinition) -> None:
    buckets = aws.client("s3").list_buckets()["Buckets"]
    assert {bucket["Name"] for bucket in buckets} == {bucket.name for bucket in definition.buckets}
    secrets = aws.client("secretsmanager").list_secrets()["SecretList"]
    assert {secret["Name"] for secret in secrets} == {secret.name for secret in definition.secrets}


async def test_buckets_are_encrypted(aws: LocalAws, definition: CloudDefinition) -> None:
    s3 = aws.client("s3")
    for bucket in definition.buckets:
        rules = s3.get_bucket_encryption(Bucket=bucket.name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


async def test_a_tls_only_policy_is_there_and_does_not_refuse_reads_on_loopback(
    aws: LocalAws, definition: CloudDefinition
) -> None:
    s3 = aws.client("s3")
    bucket = definition.bucket("cache").name
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == definition.bucket("cache").policy
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


async def test_a_secret_has_no_value_until_it_is_put(aws: LocalAws, definition: CloudDefinition) -> None:
    name = definition.secret("database").name
    client = aws.client("secretsmanager")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_secret_value(SecretId=name)
    await aws.put_secret(name, {"NEON_DATABASE_URL": "postgresql://somewhere"})
    assert client.get_secret_value(SecretId=name)["SecretString"] == '{"NEON_DATABASE_URL": "postgresql://somewhere"}'


async def test_credentials_of_this_machine_are_never_sent(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA-REAL")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client = aws.client("sts")
    sent: list[str] = []
    client.meta.events.register("before-send", lambda request, **_: sent.append(str(request.headers)))
    client.get_caller_identity()
    assert sent and "AKIA-REAL" not in sent[0]
    assert "Credential=local/" in sent[0]


async def test_stopping_ends_the_process(tmp_path: Path) -> None:
    aws = LocalAws(tmp_path / "moto.log")
    await aws.start()
    (pid,) = aws.pids
    await aws.stop()
    await aws.stop()
    assert not psutil.pid_exists(pid)
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        aws.client("s3").list_buckets()
