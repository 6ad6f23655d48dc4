"""One batch of SQS messages, each of them a job's id. What cannot be done now is reported, and only that comes again.

Source: AWS Lambda developer guide, "Handling errors for an SQS event source", partial batch responses.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from target.errors import DependencyUnavailable
from target.jobs.context import WorkerContext
from target.jobs.run import run_job
from target.observability.correlation import correlated

_log = logging.getLogger(__name__)

Report = dict[str, list[dict[str, str]]]


async def run_batch(event: Mapping[str, Any], context: WorkerContext) -> Report:
    """Run the messages' jobs one after the other and report the messages that shall come again.

    A message that names no job is reported too: it ends in the dead-letter queue, where somebody sees it.
    """
    records: Sequence[Mapping[str, Any]] = event.get("Records", [])
    failed = [str(record["messageId"]) for record in records if not await _is_done(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


async def _is_done(record: Mapping[str, Any], context: WorkerContext) -> bool:
    try:
        message = _read(record)
        with correlated(message.get("correlation_id") or str(record["messageId"])):
            await run_job(message["job_id"], context)
    except DependencyUnavailable as error:
        _log.warning("Message %s comes again: %s", record["messageId"], error)
        return False
    except ValueError as error:  # of the message; what a job's calculation refuses is recorded with the job
        _log.error("Message %s is no job: %s", record["messageId"], error)
        return False
    return True


def _read(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the message: a job's id, and the correlation id of the request that it came of.

    Raises:
        ValueError: it names no job.
    """
    message = json.loads(record.get("body", ""))
    if not isinstance(message, dict) or not isinstance(message.get("job_id"), str):
        raise ValueError('expected {"job_id": "…"}, as the API sends it')
    return {name: value for name, value in message.items() if isinstance(value, str)}
