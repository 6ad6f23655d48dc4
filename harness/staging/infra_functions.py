"""Holds the functions, routes and triggers that were applied against the definition that the local cloud runs."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.domain.cloud import CloudDefinition, FunctionDefinition
from harness.domain.criterion import Check

ClientFactory = Callable[[str], Any]


def check_functions(client: ClientFactory, definition: CloudDefinition) -> list[Check]:
    """One check for each function, one for the routes, one for the alarms and log groups of each function."""
    deployed = {entry["FunctionName"]: entry for entry in client("lambda").list_functions()["Functions"]}
    expected = {function.name for function in definition.functions}
    checks = [_same("functions are those of the definition", sorted(expected), sorted(deployed))]
    for function in definition.functions:
        if function.name in deployed:
            checks.append(_function(client, function, deployed[function.name]))
            checks.append(_log_group(client, function))
            checks.append(_alarms(client, function))
    checks.append(_routes(client, definition))
    checks.append(_secrets(client, definition))
    return checks


def _function(client: ClientFactory, function: FunctionDefinition, entry: Mapping[str, Any]) -> Check:
    lambdas = client("lambda")
    concurrency = lambdas.get_function_concurrency(FunctionName=function.name)
    alias = lambdas.get_alias(FunctionName=function.name, Name="live")
    expected = {
        "handler": function.handler,
        "runtime": function.runtime,
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
        "environment": dict(function.environment),
        "layers": len(function.layers),
        "role": function.role,
        "reserved_concurrency": function.reserved_concurrency,
        "alias_is_a_published_version": True,
    }
    applied = {
        "handler": entry["Handler"],
        "runtime": entry["Runtime"],
        "memory_mb": entry["MemorySize"],
        "timeout_s": entry["Timeout"],
        "environment": entry.get("Environment", {}).get("Variables", {}),
        "layers": len(entry.get("Layers", [])),
        "role": entry["Role"].rsplit("/", 1)[-1],
        "reserved_concurrency": concurrency.get("ReservedConcurrentExecutions"),
        "alias_is_a_published_version": alias["FunctionVersion"].isdigit(),
    }
    return _same(f"{function.key} is applied as the local cloud runs it", expected, applied)


def _log_group(client: ClientFactory, function: FunctionDefinition) -> Check:
    name = f"/aws/lambda/{function.name}"
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    days = next((group.get("retentionInDays") for group in groups if group["logGroupName"] == name), None)
    return Check(
        name=f"{function.key} logs are kept for a limited time",
        passed=days is not None,
        detail=f"{days} days" if days else f"{name} is absent or keeps its events for ever",
    )


def _alarms(client: ClientFactory, function: FunctionDefinition) -> Check:
    alarms = client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{function.name}-")["MetricAlarms"]
    topics = {entry["TopicArn"] for entry in client("sns").list_topics()["Topics"]}
    silent = [alarm["AlarmName"] for alarm in alarms if not topics.intersection(alarm.get("AlarmActions", []))]
    found = {alarm["AlarmName"].removeprefix(f"{function.name}-") for alarm in alarms}
    missing = {"errors", "throttles", "duration-p95", "cold-start-rate"} - found
    return Check(
        name=f"{function.key} has its alarms, and each reaches a topic that exists",
        passed=not silent and not missing,
        detail=f"missing: {sorted(missing)}, silent: {silent}" if silent or missing else f"{len(found)} alarms",
    )


def _routes(client: ClientFactory, definition: CloudDefinition) -> Check:
    gateway = client("apigatewayv2")
    applied: dict[str, str] = {}
    names = {function.name: function.key for function in definition.functions}
    for api in gateway.get_apis()["Items"]:
        integrations = {
            entry["IntegrationId"]: entry["IntegrationUri"]
            for entry in gateway.get_integrations(ApiId=api["ApiId"])["Items"]
        }
        for route in gateway.get_routes(ApiId=api["ApiId"])["Items"]:
            uri = integrations.get(route["Target"].removeprefix("integrations/"), "")
            applied[route["RouteKey"]] = next((key for name, key in names.items() if f":{name}:" in uri), uri)
    expected = {route.route_key: route.function_key for route in definition.routes}
    return _same("routes are those of the definition", expected, applied)


def _secrets(client: ClientFactory, definition: CloudDefinition) -> Check:
    secrets = {secret["Name"] for secret in client("secretsmanager").list_secrets()["SecretList"]}
    expected = {secret.name for secret in definition.secrets}
    return _same("secrets are those of the definition", sorted(expected), sorted(secrets))


def _same(name: str, expected: object, applied: object) -> Check:
    if expected == applied:
        return Check(name=name, passed=True, detail="equal")
    if isinstance(expected, dict) and isinstance(applied, dict):
        keys = [key for key in sorted({*expected, *applied}) if expected.get(key) != applied.get(key)]
        shown = "; ".join(f"{key}: defined {expected.get(key)!r}, applied {applied.get(key)!r}" for key in keys)
        return Check(name=name, passed=False, detail=shown)
    return Check(name=name, passed=False, detail=f"defined {expected!r}, applied {applied!r}")
