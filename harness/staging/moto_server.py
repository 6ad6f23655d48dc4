"""moto's server where AWS answers otherwise: bucket policies, conditional writes, and two spellings.

moto takes a Deny for granted whatever its Condition says, so a policy that refuses plain HTTP would refuse every read.
Who may call what is judged in front of moto, by `staging/iam`, with conditions. And its threads look at an object's
ETag first and write afterwards, so that two writers with one If-Match could both succeed; here they take turns.

Two more would have Terraform change the same resource at every plan: an event source that was given an alias is
answered with the version behind it, where AWS names the alias, and a redrive policy with blanks, where AWS has none.

Started as a process of its own by `aws.py`.
"""

import json
import threading
from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaBackend
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.server import main
from moto.sqs.models import Queue

_turn = threading.Lock()
_put_object = S3Response.put_object
_create_event_source_mapping = LambdaBackend.create_event_source_mapping
_queue_attributes = vars(Queue)["attributes"].fget


def _put_in_turn(response: S3Response) -> Any:
    with _turn:
        return _put_object(response)


def _create_as_named(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    mapping = _create_event_source_mapping(backend, spec)
    if str(spec["FunctionName"]).startswith("arn:"):
        mapping.function_arn = spec["FunctionName"]
    return mapping


def _attributes_without_blanks(queue: Queue) -> dict[str, Any]:
    attributes: dict[str, Any] = _queue_attributes(queue)
    if queue.redrive_policy:
        attributes["RedrivePolicy"] = json.dumps(queue.redrive_policy, separators=(",", ":"))
    return attributes


def _no_opinion(_bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


if __name__ == "__main__":
    FakeBucket.get_permission = _no_opinion  # type: ignore[method-assign,assignment]
    S3Response.put_object = _put_in_turn  # type: ignore[method-assign,assignment]
    LambdaBackend.create_event_source_mapping = _create_as_named  # type: ignore[method-assign,assignment]
    Queue.attributes = property(_attributes_without_blanks)  # type: ignore[method-assign,assignment]
    main()
