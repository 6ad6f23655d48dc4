"""Sending jobs through SQS. A message holds a job's id and nothing else: the job itself is in the database."""

import json

from target.collection import collection_paused
from target.errors import QueueUnavailable


class SqsSender:
    """Sends to one queue; botocore itself honours AWS_ENDPOINT_URL and the function's role."""

    def __init__(self, queue_url: str, region: str) -> None:
        self._queue_url = queue_url
        self._region = region

    async def send(self, job_id: str) -> None:
        """Hand over one job, at least once.

        Raises:
            QueueUnavailable: SQS refuses, throttles or does not answer, still after a second try.
        """
        with collection_paused():  # botocore costs a quarter second that a process which submits nothing never needs
            import aioboto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        limits = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
        try:
            session = aioboto3.Session()
            async with session.client("sqs", region_name=self._region, config=limits) as client:
                await client.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps({"job_id": job_id}))
        except (BotoCoreError, ClientError, OSError) as error:
            raise QueueUnavailable(
                f"SQS does not accept job {job_id} ({type(error).__name__}): check JOBS_QUEUE_URL, the function's "
                "sqs:SendMessage permission and AWS_ENDPOINT_URL."
            ) from error
