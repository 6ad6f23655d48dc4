"""moto's server without moto's own judgement of bucket policies; started as a process of its own by `aws.py`.

moto takes a Deny for granted whatever its Condition says, so a policy that refuses plain HTTP would refuse every read.
Who may call what is judged in front of moto, by `staging/iam`, with conditions.
"""

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.server import main


def _no_opinion(_bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    return PermissionResult.NEUTRAL


if __name__ == "__main__":
    FakeBucket.get_permission = _no_opinion  # type: ignore[method-assign,assignment]
    main()
