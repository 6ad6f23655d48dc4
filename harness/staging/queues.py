"""The queues of the local cloud: created in order, so that each finds the one that takes what fails."""

import json
from typing import Any

from harness.domain.cloud import CloudDefinition, QueueDefinition

_COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


def create_queues(sqs: Any, definition: CloudDefinition) -> None:
    """Creates every queue of the definition, the dead-letter ones first."""
    place = f"{definition.region}:{definition.account_id}"
    for queue in sorted(definition.queues, key=lambda found: found.dead_letter is not None):
        sqs.create_queue(QueueName=queue.name, Attributes=_attributes(queue, place))


class Queues:
    """Counts what is in the queues of a definition; an SQS client of boto3 asks for it."""

    def __init__(self, sqs: Any, definition: CloudDefinition) -> None:
        self._sqs = sqs
        self._dead = {queue.dead_letter for queue in definition.queues}
        self._names = [queue.name for queue in definition.queues]
        self._addresses: dict[str, str] = {}

    def count_waiting(self) -> int:
        """Messages that are still to be handled, those in somebody's hands included."""
        return sum(self._count(name) for name in self._names if name not in self._dead)

    def count_given_up(self) -> int:
        """Messages that nobody could handle."""
        return sum(self._count(name) for name in self._names if name in self._dead)

    def _count(self, name: str) -> int:
        if name not in self._addresses:
            self._addresses[name] = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._addresses[name], AttributeNames=_COUNTS)["Attributes"]
        return sum(int(found[count]) for count in _COUNTS)


def _attributes(queue: QueueDefinition, place: str) -> dict[str, str]:
    attributes = {"VisibilityTimeout": str(queue.visibility_timeout_s)}
    if queue.dead_letter is not None:
        redrive = {
            "deadLetterTargetArn": f"arn:aws:sqs:{place}:{queue.dead_letter}",
            "maxReceiveCount": queue.max_receive_count or 10,
        }
        attributes["RedrivePolicy"] = json.dumps(redrive)
    return attributes
