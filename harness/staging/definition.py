"""The local cloud's definition, read from the target's Terraform so that nothing is described twice."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.domain.cloud import (
    BucketDefinition,
    CloudDefinition,
    FunctionDefinition,
    RoleDefinition,
    RouteDefinition,
    SecretDefinition,
)
from harness.domain.errors import ConfigurationError
from harness.staging.definition_triggers import (
    FUNCTION_ARN,
    FunctionKeys,
    read_authorizers,
    read_event_sources,
    read_queues,
    read_schedules,
)
from harness.staging.terraform import Resource, Resources, load_resources, whole

_HANDLER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_MOTO_ACCOUNT_ID = "123456789012"


def load_definition(terraform_dir: Path, *, environment: str = "local") -> CloudDefinition:
    """What `terraform_dir` deploys with `environments/<environment>.tfvars`, in the order of Terraform addresses.

    Guarantees that every route leads to a function of the definition, every function has a handler, and every
    layer and environment value is known.

    Raises:
        ConfigurationError: the files are not valid Terraform, or leave one of these open; names file and line.
    """
    resources = load_resources(terraform_dir, terraform_dir / "environments" / f"{environment}.tfvars")
    functions = tuple(_function(resources, found) for found in resources.of_type("aws_lambda_function"))
    if not functions:
        hint = "Declare at least one aws_lambda_function; there is nothing to stand up."
        raise ConfigurationError("no functions", where=str(terraform_dir), hint=hint)
    keys: FunctionKeys = {function.name: function.key for function in functions}
    stage = next(resources.of_type("aws_apigatewayv2_stage"), None)
    throttle = stage.block("default_route_settings") if stage else {}
    return CloudDefinition(
        environment=environment,
        region=_region(resources),
        account_id=_account_id(resources),
        functions=functions,
        routes=tuple(_routes(resources, keys)),
        buckets=tuple(_bucket(resources, found) for found in resources.of_type("aws_s3_bucket")),
        secrets=tuple(
            SecretDefinition(key=found.key, name=found.get_text("name"))
            for found in resources.of_type("aws_secretsmanager_secret")
        ),
        throttle_rate_rps=_number(throttle.get("throttling_rate_limit")),
        throttle_burst=whole(throttle.get("throttling_burst_limit")),
        roles=tuple(_roles(resources)),
        authorizers=tuple(read_authorizers(resources, keys)),
        queues=tuple(read_queues(resources)),
        event_sources=tuple(read_event_sources(resources, keys)),
        schedules=tuple(read_schedules(resources, keys)),
    )


def _function(resources: Resources, found: Resource) -> FunctionDefinition:
    if found.find_text("function_name") is None:
        hint = "Look for a null, or a name that is not declared, among the values of that block."
        what = f"{found.path} cannot be evaluated: a value that it is given is null or unknown"
        raise ConfigurationError(what, where=found.place, hint=hint)
    architectures = found.attributes.get("architectures") or ["x86_64"]
    return FunctionDefinition(
        key=found.key,
        name=found.get_text("function_name"),
        handler=_handler(found),
        runtime=found.get_text("runtime"),
        memory_mb=whole(found.attributes.get("memory_size")) or 128,
        timeout_s=whole(found.attributes.get("timeout")) or 3,
        environment=_environment(found),
        role=_role_name(resources, found),
        layers=_layers(resources, found),
        reserved_concurrency=_reserved_concurrency(found),
        architecture=str(architectures[0]),
    )


def _handler(found: Resource) -> str:
    handler = found.find_text("handler")
    if handler and _HANDLER.fullmatch(handler):
        return handler
    shown = f"the handler {handler!r}" if handler else "no handler"
    hint = "Give it the handler's Python path, such as target.functions.trades.handler.handler."
    raise ConfigurationError(f"the function {found.key} has {shown}", where=found.place, hint=hint)


def _environment(found: Resource) -> Mapping[str, str]:
    block = found.block("environment")
    variables: Mapping[str, Any] | None = block.get("variables", {}) if block else {}
    unknown = ["a part"] if variables is None else [n for n, v in variables.items() if not isinstance(v, str)]
    if variables is not None and not unknown:
        return dict(sorted(variables.items()))
    what = f"the environment of the function {found.key} is not known before apply: {', '.join(unknown)}"
    hint = "Build every variable from Terraform variables and locals, as text."
    raise ConfigurationError(what, where=found.place, hint=hint)


def _role_name(resources: Resources, found: Resource) -> str:
    role = resources.find(found.attributes.get("role"))
    if role is not None:
        return role.get_text("name")
    hint = "Give it the arn of an aws_iam_role of these files."
    raise ConfigurationError(f"the function {found.key} has no role", where=found.place, hint=hint)


def _layers(resources: Resources, found: Resource) -> tuple[str, ...]:
    references = found.attributes.get("layers", [])
    layers = [None] if references is None else [resources.find(reference) for reference in references]
    if None in layers:
        hint = "Declare the layer under local.layers, or take it out of the function's layers."
        what = f"the function {found.key} names a layer that does not exist"
        raise ConfigurationError(what, where=found.place, hint=hint)
    return tuple(layer.key for layer in layers if layer)


def _reserved_concurrency(found: Resource) -> int | None:
    reserved = whole(found.attributes.get("reserved_concurrent_executions"))
    return None if reserved is None or reserved < 0 else reserved


def _routes(resources: Resources, keys: FunctionKeys) -> Iterable[RouteDefinition]:
    for route in resources.of_type("aws_apigatewayv2_route"):
        route_key = route.get_text("route_key")
        target = (route.find_text("target") or "").removeprefix("integrations/")
        integration = resources.find(target)
        arn = FUNCTION_ARN.search(integration.find_text("integration_uri") or "") if integration else None
        if arn is None or arn["name"] not in keys:
            hint = f"Route it to one of the functions that exist: {', '.join(sorted(keys.values()))}."
            raise ConfigurationError(f"the route {route_key} leads to no known function", where=route.place, hint=hint)
        authorizer = resources.find(route.attributes.get("authorizer_id"))
        yield RouteDefinition(
            route_key=route_key,
            function_key=keys[arn["name"]],
            authorizer=authorizer.get_text("name") if authorizer else None,
        )


def _bucket(resources: Resources, found: Resource) -> BucketDefinition:
    name = found.get_text("bucket")
    policy = _of_bucket(resources, "aws_s3_bucket_policy", name)
    cors = _of_bucket(resources, "aws_s3_bucket_cors_configuration", name)
    versioning = _of_bucket(resources, "aws_s3_bucket_versioning", name)
    return BucketDefinition(
        key=found.key,
        name=name,
        policy=policy.find_text("policy") if policy else None,
        cors_origins=tuple(cors.block("cors_rule").get("allowed_origins") or ()) if cors else (),
        is_versioned=bool(versioning and versioning.block("versioning_configuration").get("status") == "Enabled"),
    )


def _of_bucket(resources: Resources, kind: str, name: str) -> Resource | None:
    return next((found for found in resources.of_type(kind) if found.find_text("bucket") == name), None)


def _roles(resources: Resources) -> Iterable[RoleDefinition]:
    documents = [
        (found.find_text("role"), found.find_text("policy")) for found in resources.of_type("aws_iam_role_policy")
    ]
    for role in resources.of_type("aws_iam_role"):
        name = role.get_text("name")
        policies = (policy for owner, policy in documents if owner in (name, role.id) and policy)
        yield RoleDefinition(name=name, policies=tuple(policies))


def _region(resources: Resources) -> str:
    provider = next(resources.of_type("provider"), None)
    return (provider.find_text("region") if provider else None) or "us-east-1"


def _account_id(resources: Resources) -> str:
    for integration in resources.of_type("aws_apigatewayv2_integration"):
        match = FUNCTION_ARN.search(integration.find_text("integration_uri") or "")
        if match:
            return match["account"]
    return _MOTO_ACCOUNT_ID


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
