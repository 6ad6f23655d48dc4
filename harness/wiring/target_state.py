"""The target's state beside its rows: objects, and work that is still to be done in the background."""

import asyncio
import time

from harness.adapters.bucket_state import BucketState
from harness.adapters.object_bucket import ObjectBucket
from harness.domain.errors import SystemUnavailable
from harness.settings import ObjectsSettings
from harness.staging.queues import Queues
from harness.wiring.pair import RunningPair

_POLL_S = 0.05
_TIMEOUT_S = 120.0


def target_bucket(pair: RunningPair, settings: ObjectsSettings) -> ObjectBucket:
    """The bucket and prefix of `[objects]` in the local cloud."""
    return ObjectBucket(pair.aws.client("s3"), pair.definition.bucket(settings.bucket).name, settings.prefix)


class CloudState:
    """Captures and restores the local cloud's objects, once nobody writes to them or to the rows any more."""

    def __init__(self, pair: RunningPair, settings: ObjectsSettings) -> None:
        self._objects = BucketState(target_bucket(pair, settings)) if settings.bucket else None
        self._queues = Queues(pair.aws.client("sqs"), pair.definition)

    async def capture(self) -> None:
        """Remembers the objects as they are now."""
        await self.settle()
        if self._objects is not None:
            await self._objects.capture()

    async def restore(self) -> None:
        """Waits for the background's work, whose outcome would come too late, and brings the objects back."""
        await self.settle()
        if self._objects is not None:
            await self._objects.restore()

    async def settle(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Returns once no message waits and none is being worked on.

        Raises:
            SystemUnavailable: that takes longer than `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while await asyncio.to_thread(self._queues.count_waiting):
            if time.monotonic() > deadline:
                hint = "See the logs of the functions that the queues invoke."
                raise SystemUnavailable("the target's queues are not empty in time", where="SQS", hint=hint)
            await asyncio.sleep(_POLL_S)

    async def count_given_up(self) -> int:
        """Messages that no function could handle."""
        return await asyncio.to_thread(self._queues.count_given_up)

    async def close(self) -> None:
        """Leaves everything as it is."""
        if self._objects is not None:
            await self._objects.close()
