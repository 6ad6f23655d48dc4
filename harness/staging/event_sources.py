"""SQS queues that invoke functions: polled under the function's role, batch by batch, with partial failures.

What is not deleted becomes visible again after the queue's visibility timeout, and SQS itself (moto) moves it to the
dead-letter queue once it was received too often.

Source: AWS Lambda developer guide, "Using Lambda with Amazon SQS" and "Handling errors for an SQS event source".
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.domain.cloud import EventSourceDefinition
from harness.staging.authorizer import Invoker
from harness.staging.aws import client
from harness.staging.pool import InvocationOutcome
from harness.uninterrupted import run_to_its_end

_log = logging.getLogger(__name__)

_IDLE_S = 0.5
_MOST_AT_ONCE = 10

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAccess:
    """Where SQS is, and as whom the queue is read."""

    endpoint: str
    region: str
    account_id: str
    access_key_id: str


class EventSource:
    """One mapping of a queue to a function."""

    def __init__(
        self, definition: EventSourceDefinition, invoker: Invoker, access: QueueAccess, *, idle_s: float = _IDLE_S
    ) -> None:
        self._definition = definition
        self._invoker = invoker
        self._access = access
        self._idle_s = idle_s
        self._pollers: list[asyncio.Task[None]] = []
        self._sqs: Any = None
        self._url = ""

    async def start(self) -> None:
        """Polls from now on, with as many batches at once as the mapping allows."""
        self._sqs = await asyncio.to_thread(self._connect)
        self._pollers = [asyncio.create_task(self._poll()) for _ in range(self._definition.maximum_concurrency)]

    async def stop(self) -> None:
        """Takes nothing more once it returns; a batch that is worked on stays in the queue and is delivered again."""
        pollers, self._pollers = self._pollers, []
        for poller in pollers:
            poller.cancel()
        await asyncio.gather(*pollers, return_exceptions=True)

    def _connect(self) -> Any:
        access = self._access
        self._url = f"{access.endpoint}/{access.account_id}/{self._definition.queue}"
        return client("sqs", endpoint=access.endpoint, region=access.region, access_key_id=access.access_key_id)

    async def _poll(self) -> None:
        while True:
            try:
                messages = await run_to_its_end(asyncio.to_thread(self._receive))
                if messages:
                    await self._handle(messages)
                    continue
            except (ClientError, BotoCoreError) as error:
                _log.warning("the queue %s cannot be read: %s", self._definition.queue, error)
            await asyncio.sleep(self._idle_s)

    def _receive(self) -> list[Message]:
        found = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(self._definition.batch_size, _MOST_AT_ONCE),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(found.get("Messages", []))

    async def _handle(self, messages: Sequence[Message]) -> None:
        """One invocation; what the function did not fail on is deleted, everything where it did not run at all."""
        place = f"{self._access.region}:{self._access.account_id}"
        event = {"Records": [_record(message, f"arn:aws:sqs:{place}:{self._definition.queue}") for message in messages]}
        answer = await self._invoker.invoke(self._definition.function_key, event, trace_id="")
        if answer.outcome is not InvocationOutcome.ANSWERED:
            return
        failed = failed_messages(answer.payload, messages) if self._definition.reports_item_failures else frozenset()
        entries = [
            {"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]}
            for message in messages
            if message["MessageId"] not in failed
        ]
        if entries:
            await asyncio.to_thread(self._sqs.delete_message_batch, QueueUrl=self._url, Entries=entries)


def failed_messages(payload: bytes, messages: Sequence[Message]) -> frozenset[str]:
    """Ids of the messages that failed, by what a function with ReportBatchItemFailures returned.

    No answer, or an empty list, is a success of all; an answer that cannot be understood is a failure of all.
    """
    everything = frozenset(str(message["MessageId"]) for message in messages)
    try:
        said = json.loads(payload or b"null")
    except ValueError:
        return everything
    if said is None or said == {}:
        return frozenset()
    failures = said.get("batchItemFailures", ()) if isinstance(said, dict) else ()
    if not failures:
        return frozenset()
    if not isinstance(failures, list):
        return everything
    named = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in failures}
    return everything & named if named <= everything else everything


def _record(message: Message, queue_arn: str) -> dict[str, object]:
    """A message as Lambda hands it on."""
    attributes = {
        name: {key[0].lower() + key[1:]: value for key, value in attribute.items() if key != "BinaryValue"}
        | {"stringListValues": [], "binaryListValues": []}
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
