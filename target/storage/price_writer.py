"""Writes the cached prices: optimistically, as a whole, one generation after another."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from target.errors import StorageUnavailable
from target.storage.counters import CacheCounters
from target.storage.coverage import Coverage
from target.storage.objects import ObjectChanged, ObjectInfo, ObjectStore, StoredObject
from target.storage.price_field import PriceField
from target.storage.price_file import encode_prices
from target.storage.price_generation import FILES, FOLDER, MANIFEST, Generation, encode_manifest
from target.storage.price_pair import PricePair
from target.storage.price_reader import PriceReader, Snapshot

_TRIES = 12
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 1.0
_UNUSED_FOR = timedelta(hours=1)
"""No reader and no writer takes this long from a manifest to its files."""

Coverages = Mapping[str, Coverage]
Change = Callable[[PricePair, Coverages], tuple[PricePair, Coverages]]
"""From what is stored to what shall be; called again on whatever another writer stored meanwhile."""

_log = logging.getLogger(__name__)


class PriceWriter:
    """Guarantees: of two writers at once neither loses anything; one that ends half-way changes nothing."""

    def __init__(
        self,
        objects: ObjectStore,
        reader: PriceReader,
        counters: CacheCounters,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._objects = objects
        self._reader = reader
        self._counters = counters
        self._clock = clock
        self._sleep = sleep

    async def commit(self, change: Change) -> None:
        """Make what `change` returns the current generation.

        Raises:
            StorageUnavailable: the store does not answer, or other writers came first too often; nothing was changed.
            UnreadableObject: what is stored is no cache of prices.
        """
        for attempt in range(_TRIES):
            if await self._try(change):
                return
            self._counters.add(conflicts=1)
            await self._sleep(random.uniform(0, min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt)))  # noqa: S311
        raise StorageUnavailable(
            f"Others write to {self._objects.location} all the time, {_TRIES} tries failed: refresh less at once."
        )

    async def _try(self, change: Change) -> bool:
        base = await self._reader.read(PriceField)
        before = base.pair
        pair, coverage = change(before, base.generation.coverage)
        if pair == before and base.generation.id:  # only what was asked is news: the files stay
            same = replace(base.generation, coverage=coverage)
            return await self._make_current(same, base, pair) and await self._tidy(same, pair)
        new = Generation(id=f"{self._clock():%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}", coverage=coverage)
        try:
            await self._put_all({new.key(which): None for which in PriceField}, await _encoded(pair))
        except ObjectChanged:
            return False  # nobody else has this id: our own first attempt was there, whose answer was lost on the way
        return await self._make_current(new, base, pair) and await self._tidy(new, pair)

    async def _make_current(self, new: Generation, base: Snapshot, pair: PricePair) -> bool:
        manifest = encode_manifest(new)
        try:
            etag = await self._put(MANIFEST, manifest, base.generation.etag)
        except ObjectChanged:
            # By another writer, or by our own first attempt, whose answer was lost on the way.
            return (await self._reader.current()).generation.id == new.id != base.generation.id
        stored = StoredObject(key=MANIFEST, etag=etag, body=manifest)
        tables = {which: pair.table(which) for which in PriceField}
        self._reader.remember(stored, replace(new, etag=etag), tables)
        return True

    async def _tidy(self, current: Generation, pair: PricePair) -> bool:
        """Bring the copies under the legacy's names up to date and remove what nobody reads any more; True."""
        try:
            for _ in range(_TRIES):
                present = {info.key: info for info in await self._objects.list_objects()}
                # Asked after what is there was seen: so an older generation never goes over a newer one's copies.
                if (await self._reader.current()).generation.id != current.id:
                    break
                if not await self._copies_lag(current, present) or await self._publish(pair, present):
                    await self._sweep(current, present.values())
                    break
        except StorageUnavailable as error:  # what counts is written; the next writer tidies up
            _log.warning("The price cache was not tidied up: %s", error)
        return True

    async def _copies_lag(self, current: Generation, present: Mapping[str, ObjectInfo]) -> bool:
        """True if a copy is missing or holds something else than what it should be a copy of.

        Times do not tell: an older generation may have been published after a newer one's files were written.
        """
        for which, name in FILES.items():
            copy, original = present.get(name), present.get(current.key(which))
            if copy is None or original is None or copy.size_bytes != original.size_bytes:
                return True
            if copy.etag != original.etag and await self._body(copy.key) != await self._body(original.key):
                return True
        return False

    async def _body(self, key: str) -> bytes | None:
        stored = await self._objects.find(key)
        return None if stored is None else stored.body

    async def _publish(self, pair: PricePair, present: Mapping[str, ObjectInfo]) -> bool:
        versions = {key: present[key].etag if key in present else None for key in FILES.values()}
        try:
            await self._put_all(versions, await _encoded(pair))
        except ObjectChanged:
            return False
        return True

    async def _sweep(self, current: Generation, present: Iterable[ObjectInfo]) -> None:
        unused_since = self._clock() - _UNUSED_FOR
        for info in present:
            if info.key.startswith(FOLDER) and not current.owns(info.key) and info.modified_at < unused_since:
                await self._objects.remove(info.key)

    async def _put_all(self, versions: Mapping[str, str | None], bodies: Iterable[bytes]) -> None:
        pairs = zip(versions.items(), bodies, strict=True)
        puts = [self._put(key, body, over) for (key, over), body in pairs]
        # To the end of all, so that no write is still on its way when another try begins or the request is answered.
        for failed in await asyncio.gather(*puts, return_exceptions=True):
            if isinstance(failed, BaseException):
                raise failed

    async def _put(self, key: str, body: bytes, over: str | None) -> str:
        etag = await self._objects.replace(key, body, over=over)
        self._counters.add(written_bytes=len(body))
        return etag


async def _encoded(pair: PricePair) -> list[bytes]:
    """Both files, in the order of PriceField."""
    return [await asyncio.to_thread(encode_prices, pair.table(which)) for which in PriceField]
