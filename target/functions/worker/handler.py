"""Lambda entry of the worker."""

import asyncio
from typing import Any

from target.collection import resume_collection
from target.database.engine import Database
from target.jobs.batch import Report, run_batch
from target.jobs.context import open_context
from target.observability import configure_logging, traced
from target.secrets import SecretStore
from target.settings import load_settings
from target.storage.objects import open_objects

_settings = load_settings()
_logger = configure_logging(_settings, "worker")
_secrets = SecretStore(_settings)
_context = open_context(_settings, _secrets, Database(_settings, _secrets), open_objects(_settings))
_runner = asyncio.Runner()  # one loop for all invocations: connections belong to theirs
resume_collection()


@_logger.inject_lambda_context
def _run(event: dict[str, Any], context: Any) -> Report:
    """Run one batch of jobs; the report names the messages that shall come again."""
    return _runner.run(run_batch(event, _context))


handler = traced(_settings, "worker", _run)
