"""What asks for functions beside routes, read from Terraform: authorizers, queues with their mappings, schedules."""

import json
import re
from collections.abc import Iterable, Mapping

from harness.domain.cloud import (
    AuthorizerDefinition,
    EventSourceDefinition,
    QueueDefinition,
    ScheduleDefinition,
)
from harness.domain.errors import ConfigurationError
from harness.staging.terraform import Resource, Resources, whole

FUNCTION_ARN = re.compile(
    r"arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:(?P<name>[A-Za-z0-9_-]+)"
)
FunctionKeys = Mapping[str, str]
"""Keys of the functions by their deployed names."""

_BATCH_SIZE = 10
_VISIBILITY_TIMEOUT_S = 30
_MAXIMUM_RETRIES = 185


def read_authorizers(resources: Resources, keys: FunctionKeys) -> Iterable[AuthorizerDefinition]:
    """The authorizers, by the names that routes refer to.

    Raises:
        ConfigurationError: one is not of the kind that the local cloud speaks, or asks no known function.
    """
    for found in resources.of_type("aws_apigatewayv2_authorizer"):
        version = found.find_text("authorizer_payload_format_version")
        simple = found.attributes.get("enable_simple_responses")
        if found.find_text("authorizer_type") != "REQUEST" or version != "2.0" or not simple:
            hint = 'Use authorizer_type "REQUEST", payload format "2.0" and enable_simple_responses.'
            what = f"the authorizer {found.get_text('name')} is of a kind that the local cloud does not speak"
            raise ConfigurationError(what, where=found.place, hint=hint)
        yield AuthorizerDefinition(
            name=found.get_text("name"),
            function_key=_function_key(found, found.find_text("authorizer_uri"), keys),
            identity_sources=tuple(found.attributes.get("identity_sources") or ()),
            ttl_s=float(found.attributes.get("authorizer_result_ttl_in_seconds") or 0),
        )


def read_queues(resources: Resources) -> Iterable[QueueDefinition]:
    """Every queue, with where it puts aside what failed too often."""
    for found in resources.of_type("aws_sqs_queue"):
        text = found.find_text("redrive_policy")
        policy = json.loads(text) if text else {}
        yield QueueDefinition(
            name=found.get_text("name"),
            visibility_timeout_s=whole(found.attributes.get("visibility_timeout_seconds")) or _VISIBILITY_TIMEOUT_S,
            dead_letter=_queue_name(resources, policy.get("deadLetterTargetArn")),
            max_receive_count=whole(policy.get("maxReceiveCount")),
        )


def read_event_sources(resources: Resources, keys: FunctionKeys) -> Iterable[EventSourceDefinition]:
    """Every mapping of a queue to a function.

    Raises:
        ConfigurationError: it names no queue or no function of these files.
    """
    for found in resources.of_type("aws_lambda_event_source_mapping"):
        queue = _queue_name(resources, found.attributes.get("event_source_arn"))
        if queue is None:
            hint = "Give it the arn of an aws_sqs_queue of these files."
            raise ConfigurationError("the event source mapping has no known queue", where=found.place, hint=hint)
        kinds = found.attributes.get("function_response_types") or ()
        yield EventSourceDefinition(
            queue=queue,
            function_key=_function_key(found, found.find_text("function_name"), keys),
            batch_size=whole(found.attributes.get("batch_size")) or _BATCH_SIZE,
            maximum_concurrency=whole(found.block("scaling_config").get("maximum_concurrency")) or 2,
            reports_item_failures="ReportBatchItemFailures" in kinds,
        )


def read_schedules(resources: Resources, keys: FunctionKeys) -> Iterable[ScheduleDefinition]:
    """Every schedule that invokes a function.

    Raises:
        ConfigurationError: its target is no function of these files.
    """
    for found in resources.of_type("aws_scheduler_schedule"):
        target = found.block("target")
        arn = target.get("arn")
        retries = _first(target.get("retry_policy")).get("maximum_retry_attempts")
        known = whole(retries)
        yield ScheduleDefinition(
            name=found.get_text("name"),
            expression=found.get_text("schedule_expression"),
            function_key=_function_key(found, arn if isinstance(arn, str) else None, keys),
            timezone=found.find_text("schedule_expression_timezone") or "UTC",
            input=str(target.get("input") or "{}"),
            maximum_retries=_MAXIMUM_RETRIES if known is None else known,
        )


def _function_key(found: Resource, text: str | None, keys: FunctionKeys) -> str:
    arn = FUNCTION_ARN.search(text or "")
    if arn is not None and arn["name"] in keys:
        return keys[arn["name"]]
    hint = f"Name one of the functions that exist: {', '.join(sorted(keys.values()))}."
    raise ConfigurationError(f"{found.path} leads to no known function", where=found.place, hint=hint)


def _queue_name(resources: Resources, reference: object) -> str | None:
    queue = resources.find(reference)
    return queue.get_text("name") if queue else None


def _first(value: object) -> Mapping[str, object]:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, Mapping) else {}
