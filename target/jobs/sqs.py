"""Sending jobs through SQS. A message names a job and the request it came of; the job itself is in the database."""

import json

from target.aws import AwsClient, Patience
from target.errors import QueueUnavailable
from target.observability.correlation import correlation_id

_PATIENCE = Patience(connect_timeout_s=2, read_timeout_s=5, tries=2)


class SqsSender:
    """Sends to one queue."""

    def __init__(self, queue_url: str, region: str) -> None:
        self._queue_url = queue_url
        self._sqs = AwsClient("sqs", region, _PATIENCE)

    async def send(self, job_id: str) -> None:
        """Hand over one job, at least once.

        Raises:
            QueueUnavailable: SQS refuses, throttles or does not answer, still after a second try.
        """
        body = json.dumps({"job_id": job_id, "correlation_id": correlation_id()})
        client = await self._sqs.opened()
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - loaded with the client alone

        try:
            await client.send_message(QueueUrl=self._queue_url, MessageBody=body)
        except (BotoCoreError, ClientError, OSError) as error:
            raise QueueUnavailable(
                f"SQS does not accept job {job_id} ({type(error).__name__}): check JOBS_QUEUE_URL, the function's "
                "sqs:SendMessage permission and AWS_ENDPOINT_URL."
            ) from error

    async def close(self) -> None:
        """Close the connection to SQS; the next job opens another."""
        await self._sqs.close()
