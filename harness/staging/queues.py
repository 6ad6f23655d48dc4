"""The queues of the local cloud: created in order, so that each finds the one that takes what fails."""

import json
from typing import Any

from harness.domain.cloud import CloudDefinition, QueueDefinition


def create_queues(sqs: Any, definition: CloudDefinition) -> None:
    """Creates every queue of the definition, the dead-letter ones first."""
    place = f"{definition.region}:{definition.account_id}"
    for queue in sorted(definition.queues, key=lambda found: found.dead_letter is not None):
        sqs.create_queue(QueueName=queue.name, Attributes=_attributes(queue, place))


def count_waiting(sqs: Any, definition: CloudDefinition) -> int:
    """Messages that are still to be handled, those in somebody's hands included."""
    return _count(sqs, [queue for queue in definition.queues if queue.dead_letter is not None])


def count_given_up(sqs: Any, definition: CloudDefinition) -> int:
    """Messages that nobody could handle."""
    dead = {queue.dead_letter for queue in definition.queues}
    return _count(sqs, [queue for queue in definition.queues if queue.name in dead])


def _count(sqs: Any, queues: list[QueueDefinition]) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    total = 0
    for queue in queues:
        address = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
        counts = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"]
        total += sum(int(counts[name]) for name in names)
    return total


def _attributes(queue: QueueDefinition, place: str) -> dict[str, str]:
    attributes = {"VisibilityTimeout": str(queue.visibility_timeout_s)}
    if queue.dead_letter is not None:
        redrive = {
            "deadLetterTargetArn": f"arn:aws:sqs:{place}:{queue.dead_letter}",
            "maxReceiveCount": queue.max_receive_count or 10,
        }
        attributes["RedrivePolicy"] = json.dumps(redrive)
    return attributes
