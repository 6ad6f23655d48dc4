"""moto's server without its judgement of bucket policies, and with S3's promise for conditional writes.

moto takes a Deny for granted whatever its Condition says, so a policy that refuses plain HTTP would refuse every read.
Who may call what is judged in front of moto, by `staging/iam`, with conditions. And its threads look at an object's
ETag first and write afterwards, so that two writers with one If-Match could both succeed; here they take turns.

Started as a process of its own by `aws.py`.
"""

import threading
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.server import main

_turn = threading.Lock()
_put_object = S3Response.put_object


def _put_in_turn(response: S3Response) -> Any:
    with _turn:
        return _put_object(response)


def _no_opinion(_bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


if __name__ == "__main__":
    FakeBucket.get_permission = _no_opinion  # type: ignore[method-assign,assignment]
    S3Response.put_object = _put_in_turn  # type: ignore[method-assign,assignment]
    main()
