"""The local cloud's functions, each signing its AWS calls as its own role, judged before moto sees them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from harness.domain.cloud import CloudDefinition
from harness.staging.aws import LocalAws
from harness.staging.build import BuiltArtifacts
from harness.staging.event_sources import EventSource, QueueAccess
from harness.staging.handler_check import require_importable
from harness.staging.iam.authoriser import Authoriser, access_key_id
from harness.staging.logs import LogShipper, source_of
from harness.staging.schedule import Scheduler
from harness.staging.stack import LocalCloud, Service


async def start_authoriser(definition: CloudDefinition, aws: LocalAws) -> Authoriser:
    """Judges every call under the policies that Terraform gives the role; the secrets must exist already."""
    listed = await asyncio.to_thread(lambda: aws.client("secretsmanager").list_secrets()["SecretList"])
    authoriser = Authoriser(definition, upstream=aws.endpoint)
    authoriser.use_secret_arns({secret["Name"]: secret["ARN"] for secret in listed})
    await authoriser.start()
    return authoriser


def require_handlers(definition: CloudDefinition, artifacts: BuiltArtifacts) -> None:
    """Raises ConfigurationError, with file and line, for a handler that cannot be imported; quick once it could."""
    built = [function for function in definition.functions if function.key in artifacts.functions]
    handlers = {function.key: function.handler for function in built}
    require_importable(artifacts, handlers, {function.key: function.environment for function in built})


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
    """Functions and gateway with logs, queues and schedules, not started.

    `extra` variables go to every function, over Terraform's.
    """
    variables = {
        function.key: {
            "AWS_ACCESS_KEY_ID": access_key_id(function.role),
            **(extra or {}),
        }
        for function in definition.functions
    }
    cloud = LocalCloud(
        definition,
        artifacts,
        runtime_directory=directory,
        aws_endpoint=authoriser.endpoint,
        environment_overrides=variables,
    )
    sources = tuple(
        source_of(function.key, function.name, directory / function.key, access_key_id(function.role))
        for function in definition.functions
    )
    shipper = LogShipper(sources, endpoint=authoriser.endpoint, region=definition.region)
    cloud.attach(sources=tuple(_triggers(definition, cloud, authoriser)), followers=(shipper,))
    return cloud


def _triggers(definition: CloudDefinition, cloud: LocalCloud, authoriser: Authoriser) -> Iterable[Service]:
    """A poller for each mapping of a queue, under the role of its function; one clock for all schedules."""
    for found in definition.event_sources:
        access = QueueAccess(
            endpoint=authoriser.endpoint,
            region=definition.region,
            account_id=definition.account_id,
            access_key_id=access_key_id(definition.function(found.function_key).role),
        )
        yield EventSource(found, cloud, access)
    if definition.schedules:
        yield Scheduler(definition.schedules, cloud)
