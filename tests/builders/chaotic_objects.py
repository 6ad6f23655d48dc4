"""Objects in memory, as S3 keeps them, behind a network that reorders, delays and loses; all by the seed."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from target.errors import StorageUnavailable
from target.storage.objects import ObjectChanged, ObjectInfo, StoredObject

_MOST_TURNS = 6


@dataclass
class ChaoticObjects:
    """An ObjectStore. Each call waits some turns of the event loop before and after it does its work.

    `faults` is the share of calls that go wrong: refused; done, but with the answer lost; or, for a conditional
    write, done and then tried again by the client, so that it is told that somebody else came first.
    """

    seed: int
    clock: Callable[[], datetime]
    faults: float = 0.0
    location: str = "memory"
    bodies: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    written: dict[str, set[str]] = field(default_factory=dict)
    """All keys that content was ever written to, by its ETag."""

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    async def find(self, key: str, known: StoredObject | None = None) -> StoredObject | None:
        """See ObjectStore."""
        await self._arrive()
        found = self.bodies.get(key)
        await self._turns()
        if found is None:
            return None
        etag = _etag(found[0])
        return known if known is not None and known.etag == etag else StoredObject(key=key, etag=etag, body=found[0])

    async def replace(self, key: str, body: bytes, *, over: str | None) -> str:
        """See ObjectStore."""
        await self._arrive()
        there = self.bodies.get(key)
        if (None if there is None else _etag(there[0])) != over:
            await self._turns()
            raise ObjectChanged(key)
        self.bodies[key] = body, self.clock()
        etag = _etag(body)
        self.written.setdefault(etag, set()).add(key)
        await self._turns()
        if self._goes_wrong():
            raise self.random.choice([ObjectChanged(key), StorageUnavailable("The answer was lost.")])
        return etag

    async def remove(self, key: str) -> None:
        """See ObjectStore."""
        await self._arrive()
        self.bodies.pop(key, None)
        await self._turns()

    async def list_objects(self, below: str = "") -> Sequence[ObjectInfo]:
        """See ObjectStore."""
        await self._arrive()
        found = sorted((key, *stored) for key, stored in self.bodies.items() if key.startswith(below))
        await self._turns()
        return [ObjectInfo(key=key, etag=_etag(body), size_bytes=len(body), modified_at=at) for key, body, at in found]

    async def list_top(self) -> Sequence[ObjectInfo]:
        """See ObjectStore."""
        return [info for info in await self.list_objects() if "/" not in info.key]

    async def _arrive(self) -> None:
        await self._turns()
        if self._goes_wrong():
            raise StorageUnavailable("Slow down.")

    async def _turns(self) -> None:
        for _ in range(self.random.randrange(_MOST_TURNS)):
            await asyncio.sleep(0)

    def _goes_wrong(self) -> bool:
        return self.random.random() < self.faults


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
