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
        await run_job(_job_id(record), context)
    except DependencyUnavailable as error:
        _log.warning("Message %s comes again: %s", record["messageId"], error)
        return False
    except ValueError as error:  # of the message; what a job's calculation refuses is recorded with the job
        _log.error("Message %s is no job: %s", record["messageId"], error)
        return False
    return True


def _job_id(record: Mapping[str, Any]) -> str:
    """Return the id that the message holds.

    Raises:
        ValueError: it holds none.
    """
    body = json.loads(record.get("body", ""))
    job_id = body.get("job_id") if isinstance(body, dict) else None
    if not isinstance(job_id, str):
        raise ValueError('expected {"job_id": "…"}, as the API sends it')
    return job_id
