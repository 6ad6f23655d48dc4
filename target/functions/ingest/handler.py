"""Lambda entry of the daily ingest: by schedule, and by its queue for what failed."""

import asyncio
from typing import Any

from target.collection import resume_collection
from target.ingest.events import open_events
from target.observability import configure_logging, correlated, traced
from target.settings import load_settings

_settings = load_settings()
_logger = configure_logging(_settings, "ingest")
_events = open_events(_settings)
_runner = asyncio.Runner()  # one loop for all invocations: connections belong to theirs
resume_collection()


@_logger.inject_lambda_context
def _ingest(event: Any, context: Any) -> dict[str, object]:
    """Ingest what the event names; see target.ingest.requests for its forms."""
    with correlated(context.aws_request_id):
        return _runner.run(_events.answer(event, lambda: context.get_remaining_time_in_millis() / 1000))


handler = traced(_settings, "ingest", _ingest)
