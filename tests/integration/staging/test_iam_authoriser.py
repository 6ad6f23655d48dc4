"""Calls are judged under the role of the function that makes them, with the policies that Terraform renders."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.domain.cloud import CloudDefinition, RoleDefinition
from harness.staging.aws import LocalAws
from harness.staging.definition import load_definition
from harness.staging.iam.authoriser import Authoriser, access_key_id
from harness.staging.iam.evaluate import Judgement

TERRAFORM = Path(__file__).resolve().parents[3] / "terraform"
DEFINITION = load_definition(TERRAFORM)
ROLE = DEFINITION.function("trades").role
SECRET = DEFINITION.secret("database").name
CACHE = DEFINITION.bucket("cache").name
OTHER_ROLE = "potential-parakeet-local-reader"


def definition_with_reader() -> CloudDefinition:
    """The project's own definition, with one more role that reads and lists part of the cache."""
    document = {
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{CACHE}/prices/*"},
            {
                "Sid": "List",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": f"arn:aws:s3:::{CACHE}",
                "Condition": {"StringLike": {"s3:prefix": "prices/*"}},
            },
        ]
    }
    reader = RoleDefinition(name=OTHER_ROLE, policies=(json.dumps(document),))
    return dataclasses.replace(DEFINITION, roles=(*DEFINITION.roles, reader))


@pytest.fixture(scope="module")
def moto_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moto") / "moto.log"


@pytest.fixture
async def aws(moto_log: Path) -> AsyncIterator[LocalAws]:
    aws = LocalAws(moto_log)
    await aws.start()
    await aws.provision(DEFINITION)
    await aws.put_secret(SECRET, {"NEON_DATABASE_URL": "postgresql://x"})
    aws.client("s3").put_object(Bucket=CACHE, Key="prices/a b+c.parquet", Body=b"1")
    yield aws
    await aws.stop()


@pytest.fixture
async def authoriser(aws: LocalAws) -> AsyncIterator[Authoriser]:
    authoriser = Authoriser(definition_with_reader(), upstream=aws.endpoint)
    secrets = aws.client("secretsmanager").list_secrets()["SecretList"]
    authoriser.use_secret_arns({secret["Name"]: secret["ARN"] for secret in secrets})
    await authoriser.start()
    yield authoriser
    await authoriser.stop()


def client(authoriser: Authoriser, service: str, role: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.session.Session(
        aws_access_key_id=access_key_id(role), aws_secret_access_key="x", region_name=DEFINITION.region
    ).client(service, endpoint_url=authoriser.endpoint, config=config)  # type: ignore[call-overload]


async def call(method: Any, **arguments: Any) -> Any:
    return await asyncio.to_thread(lambda: method(**arguments))


async def denied(method: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as raised:
        await call(method, **arguments)
    assert raised.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    return str(raised.value.response["Error"]["Message"])


async def test_a_function_reads_its_own_secret_and_no_other(authoriser: Authoriser) -> None:
    secrets = client(authoriser, "secretsmanager", ROLE)
    assert "NEON_DATABASE_URL" in (await call(secrets.get_secret_value, SecretId=SECRET))["SecretString"]
    message = await denied(secrets.get_secret_value, SecretId=DEFINITION.secret("api-keys").name)
    assert "no identity-based policy allows the secretsmanager:GetSecretValue action" in message
    await denied(secrets.put_secret_value, SecretId=SECRET, SecretString="{}")
    assert [entry.ruling.judgement for entry in authoriser.calls] == [
        Judgement.ALLOWED,
        Judgement.IMPLICITLY_DENIED,
        Judgement.IMPLICITLY_DENIED,
    ]


async def test_objects_are_judged_by_key_and_listings_by_prefix(authoriser: Authoriser) -> None:
    s3 = client(authoriser, "s3", OTHER_ROLE)
    assert (await call(s3.get_object, Bucket=CACHE, Key="prices/a b+c.parquet"))["Body"].read() == b"1"
    listed = await call(s3.list_objects_v2, Bucket=CACHE, Prefix="prices/a")
    assert [entry["Key"] for entry in listed["Contents"]] == ["prices/a b+c.parquet"]
    await denied(s3.get_object, Bucket=CACHE, Key="secret")
    await denied(s3.list_objects_v2, Bucket=CACHE)
    await denied(s3.list_objects_v2, Bucket=CACHE, Prefix="other/")
    await denied(s3.put_object, Bucket=CACHE, Key="prices/a", Body=b"2")
    assert authoriser.unused_statements(OTHER_ROLE) == ()


async def test_a_function_without_the_permission_cannot_touch_the_cache(authoriser: Authoriser) -> None:
    await denied(client(authoriser, "s3", ROLE).get_object, Bucket=CACHE, Key="prices/a b+c.parquet")


async def test_an_unknown_signer_is_denied(authoriser: Authoriser) -> None:
    await denied(client(authoriser, "s3", "nobody").list_objects_v2, Bucket=CACHE)
    assert authoriser.calls == []


async def test_a_call_that_is_not_recognised_is_inconclusive_and_not_let_through(authoriser: Authoriser) -> None:
    message = await denied(client(authoriser, "s3", OTHER_ROLE).get_bucket_acl, Bucket=CACHE)
    assert "INCONCLUSIVE" in message
    assert authoriser.calls[-1].ruling.judgement is Judgement.UNKNOWN


async def test_without_its_statement_each_call_is_denied(aws: LocalAws) -> None:
    (document,) = next(role.policies for role in DEFINITION.roles if role.name == ROLE)
    whole = json.loads(document)
    calls: dict[str, Callable[[Authoriser], Awaitable[str]]] = {
        "ReadDatabaseSecret": lambda a: denied(client(a, "secretsmanager", ROLE).get_secret_value, SecretId=SECRET),
        "WriteOwnLogs": lambda a: denied(
            client(a, "logs", ROLE).create_log_stream, logGroupName=f"/aws/lambda/{ROLE}", logStreamName="s"
        ),
    }
    assert set(calls) == {statement["Sid"] for statement in whole["Statement"]}
    for sid, attempt in calls.items():
        rest = {**whole, "Statement": [entry for entry in whole["Statement"] if entry["Sid"] != sid]}
        role = RoleDefinition(name=ROLE, policies=(json.dumps(rest),))
        authoriser = Authoriser(dataclasses.replace(DEFINITION, roles=(role,)), upstream=aws.endpoint)
        await authoriser.start()
        assert "no identity-based policy" in await attempt(authoriser)
        await authoriser.stop()


async def test_a_statement_that_no_call_rests_on_is_reported(authoriser: Authoriser) -> None:
    await call(client(authoriser, "secretsmanager", ROLE).get_secret_value, SecretId=SECRET)
    assert authoriser.unused_statements(ROLE) == ("WriteOwnLogs",)
