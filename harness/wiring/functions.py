"""The local cloud's functions, each signing its AWS calls as its own role, judged before moto sees them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.domain.cloud import CloudDefinition
from harness.staging.aws import LocalAws
from harness.staging.build import BuiltArtifacts
from harness.staging.iam.authoriser import Authoriser, access_key_id
from harness.staging.stack import LocalCloud


async def start_authoriser(definition: CloudDefinition, aws: LocalAws) -> Authoriser:
    """Judges every call under the policies that Terraform gives the role; the secrets must exist already."""
    listed = await asyncio.to_thread(lambda: aws.client("secretsmanager").list_secrets()["SecretList"])
    authoriser = Authoriser(definition, upstream=aws.endpoint)
    authoriser.use_secret_arns({secret["Name"]: secret["ARN"] for secret in listed})
    await authoriser.start()
    return authoriser


def with_declared(definition: CloudDefinition, variables: Mapping[str, str]) -> CloudDefinition:
    """The definition with other values for those of the variables that Terraform gives a function; none are added."""
    functions = tuple(
        replace(
            function,
            environment={name: variables.get(name, value) for name, value in function.environment.items()},
        )
        for function in definition.functions
    )
    return replace(definition, functions=functions)


def local_cloud(
    definition: CloudDefinition,
    artifacts: BuiltArtifacts,
    authoriser: Authoriser,
    directory: Path,
    extra: Mapping[str, str] | None = None,
) -> LocalCloud:
    """Functions and gateway, not started; `extra` variables go to every function, over Terraform's."""
    variables = {
        function.key: {
            "AWS_ACCESS_KEY_ID": access_key_id(function.role),
            **(extra or {}),
        }
        for function in definition.functions
    }
    return LocalCloud(
        definition,
        artifacts,
        runtime_directory=directory,
        aws_endpoint=authoriser.endpoint,
        environment_overrides=variables,
    )
