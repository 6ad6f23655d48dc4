"""Lambda entry of the trades function, which is also the gateway's $default."""

from typing import Any

import asyncpg  # noqa: F401 - else the first request would import it; INIT has the processor to itself
import sqlalchemy.dialects.postgresql.asyncpg  # noqa: F401 - as above
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from mangum import Mangum

from target.app import create_app
from target.collection import resume_collection
from target.http_api import HttpApi
from target.observability import configure_logging
from target.settings import load_settings

_settings = load_settings()
_logger = configure_logging(_settings, "trades")
_serve = Mangum(create_app(_settings), lifespan="off", custom_handlers=[HttpApi])
resume_collection()


@_logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP API event (payload 2.0)."""
    return _serve(event, context)
