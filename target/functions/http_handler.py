"""The Lambda entry of every function that answers the HTTP API: only the routers that it serves differ."""

from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from mangum import Mangum

import target.functions.unbuilt_models  # noqa: F401 - before anything imports FastAPI

# isort: split

from target.app import create_app
from target.collection import resume_collection
from target.http_api import HttpApi
from target.observability import configure_logging, traced
from target.settings import load_settings

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def http_handler(function: str, routers: Sequence[str]) -> Handler:
    """Return the handler of one function, which answers HTTP API events (payload 2.0) by these routers alone."""
    settings = load_settings()
    logger = configure_logging(settings, function)
    serve = Mangum(create_app(settings, routers), lifespan="off", custom_handlers=[HttpApi])
    resume_collection()

    @logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
    def answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return serve(event, context)

    return traced(settings, function, answer)
