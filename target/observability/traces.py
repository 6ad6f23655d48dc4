"""X-Ray traces, by Powertools' tracer. Off unless TRACING says so, and then nothing of it is imported."""

from collections.abc import Callable
from typing import Any

from target.settings import Settings

Handler = Callable[[dict[str, Any], Any], Any]


def traced(settings: Settings, function: str, handler: Handler) -> Handler:
    """Return a handler that also records a subsegment of each invocation, or `handler` itself where tracing is off.

    The subsegment is named for the function and bears the correlation id, so that a trace leads to its log lines. No
    event, answer or exception is recorded: they may hold what is nobody's business.
    """
    if not settings.tracing:
        return handler
    from aws_lambda_powertools import Tracer  # noqa: PLC0415 - the SDK below it costs start-up time

    tracer = Tracer(service=function, auto_patch=False)

    def invoke(event: dict[str, Any], context: Any) -> Any:
        tracer.put_annotation("correlation_id", _id_of(event, context))
        return handler(event, context)

    invoke.__name__ = function
    captured: Handler = tracer.capture_lambda_handler(invoke, capture_response=False, capture_error=False)
    return captured


def _id_of(event: Any, context: Any) -> str:
    """The id that the log lines of this invocation carry: the gateway's of a request, else Lambda's."""
    request = event.get("requestContext", {}) if isinstance(event, dict) else {}
    return str(request.get("requestId") or context.aws_request_id)
