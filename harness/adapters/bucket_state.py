"""The objects of a bucket as a state to capture and restore."""

from collections.abc import Mapping

from harness.adapters.object_bucket import ObjectBucket
from harness.uninterrupted import run_together, uninterrupted


class BucketState:
    """Everything below one prefix; only what changed since is written.

    Every call is done when it returns or raises, though it be cancelled.
    """

    def __init__(self, bucket: ObjectBucket) -> None:
        self._bucket = bucket
        self._versions: Mapping[str, str] = {}
        self._bodies: Mapping[str, bytes] = {}

    @uninterrupted
    async def capture(self) -> None:
        """Reads every object."""
        self._versions = await self._bucket.list_versions()
        self._bodies = await self._bucket.read(list(self._versions))

    @uninterrupted
    async def restore(self) -> None:
        """Brings every captured object back and removes every other."""
        now = await self._bucket.list_versions()
        changed = [key for key, version in self._versions.items() if now.get(key) != version]
        for key in [*(now.keys() - self._versions.keys()), *(key for key in changed if key in now)]:
            await self._bucket.remove(key)
        await run_together(*(self._bucket.put_new(key, self._bodies[key]) for key in changed))

    @uninterrupted
    async def close(self) -> None:
        """Forgets the copies; leaves the bucket as it is."""
        self._versions, self._bodies = {}, {}
