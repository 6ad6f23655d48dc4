"""The ingest function's own queue: what failed and may not fail again goes there, and comes back as an event."""

from collections.abc import Sequence
from typing import Protocol

from target.errors import QueueUnavailable
from target.ingest.requests import IngestRequest
from target.settings import Settings

_MOST_IN_A_BATCH = 10
_DELAY_S = 300
"""A source that throttles or fails is left alone for so long."""


class RetryQueue(Protocol):
    """Takes what is to be tried again later."""

    async def send(self, requests: Sequence[IngestRequest]) -> None:
        """Hand them over, each at least once."""


class NoQueue:
    """Without INGEST_QUEUE_URL nobody tries again; `ingest_failures` tells what failed."""

    async def send(self, requests: Sequence[IngestRequest]) -> None:
        """Do nothing."""


class SqsRetryQueue:
    """Sends to one queue; botocore itself honours AWS_ENDPOINT_URL and the function's role."""

    def __init__(self, queue_url: str, region: str) -> None:
        self._queue_url = queue_url
        self._region = region

    async def send(self, requests: Sequence[IngestRequest]) -> None:
        """Hand them over, to be delivered after some minutes.

        Raises:
            QueueUnavailable: SQS refuses, throttles or does not answer, or takes a part only.
        """
        if not requests:
            return
        # Here, not at the top: botocore costs a quarter second that an ingest without failures never needs.
        import aioboto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        limits = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 4, "mode": "standard"})
        try:
            async with aioboto3.Session().client("sqs", region_name=self._region, config=limits) as client:
                for first in range(0, len(requests), _MOST_IN_A_BATCH):
                    entries = _entries(requests[first : first + _MOST_IN_A_BATCH])
                    answer = await client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
                    if answer.get("Failed"):
                        raise QueueUnavailable(
                            f"SQS did not take {len(answer['Failed'])} messages: it will be retried."
                        )
        except (BotoCoreError, ClientError, OSError) as error:
            raise QueueUnavailable(
                f"SQS does not accept failed tickers ({type(error).__name__}): check INGEST_QUEUE_URL, the function's "
                "sqs:SendMessage permission and AWS_ENDPOINT_URL."
            ) from error


def retry_queue(settings: Settings) -> RetryQueue:
    """Return the queue that the settings name, or none."""
    if not settings.ingest_queue_url:
        return NoQueue()
    return SqsRetryQueue(settings.ingest_queue_url, settings.aws_region)


def _entries(requests: Sequence[IngestRequest]) -> list[dict[str, object]]:
    return [
        {"Id": str(number), "DelaySeconds": _DELAY_S, "MessageBody": request.model_dump_json(exclude_none=True)}
        for number, request in enumerate(requests)
    ]
