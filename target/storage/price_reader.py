"""Reads the cached prices: one generation at a time, again only where it changed."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from target.observability.metrics import MetricUnit, record_metric
from target.quant.prices import PriceTable
from target.storage.counters import CacheCounters
from target.storage.objects import ObjectStore, StoredObject
from target.storage.price_field import PriceField
from target.storage.price_file import decode_prices
from target.storage.price_generation import FILES, MANIFEST, Generation, decode_manifest, names_absent_files
from target.storage.price_pair import PricePair

_TRIES = 5


class Snapshot:
    """One generation, and those of its tables that were loaded."""

    def __init__(self, generation: Generation, tables: Mapping[PriceField, PriceTable]) -> None:
        self.generation = generation
        self.tables = dict(tables)

    @property
    def pair(self) -> PricePair:
        """Both tables, which have to be loaded."""
        return PricePair.of(self.tables)


class PriceReader:
    """One process's view of the cached prices.

    Guarantees: closes and opens that are read together were written together. What was read is kept, and used again
    as long as the store says that its version is still the current one.
    """

    def __init__(self, objects: ObjectStore, counters: CacheCounters) -> None:
        self._objects = objects
        self._counters = counters
        self._manifest: StoredObject | None = None
        self._snapshot: Snapshot | None = None
        self._known_files: dict[str, tuple[StoredObject, PriceTable]] = {}

    async def read(self, fields: Iterable[PriceField]) -> Snapshot:
        """Return the current generation with the tables of these fields.

        Raises:
            StorageUnavailable: the store does not answer now.
            UnreadableObject: what is stored is no cache of prices.
        """
        wanted, started_at = tuple(fields), time.perf_counter()
        for _ in range(_TRIES):
            snapshot = await self.current()
            if await self._load(snapshot, wanted):
                record_metric("PriceReadTime", MetricUnit.Milliseconds, (time.perf_counter() - started_at) * 1000)
                return snapshot
            self._manifest = None  # its files are gone: there is a newer one by now
        raise names_absent_files(self._objects.location)

    async def current(self) -> Snapshot:
        """Return the current generation, with the tables that are in memory anyway.

        Raises: as `read`.
        """
        stored = await self._objects.find(MANIFEST, self._manifest)
        if stored is None:
            imported = await self._imported()
            # Asked again: if the first generation came meanwhile, some of what was read may be its copies.
            stored = await self._objects.find(MANIFEST)
            if stored is None:
                return imported
        if stored is not self._manifest or self._snapshot is None:
            self._counters.add(read_bytes=len(stored.body))
            self.remember(stored, decode_manifest(stored), {})
        assert self._snapshot is not None  # noqa: S101 - it was remembered
        return self._snapshot

    def remember(self, manifest: StoredObject, generation: Generation, tables: Mapping[PriceField, PriceTable]) -> None:
        """Take this for the current generation, as whoever has just written it knows."""
        known = self._snapshot
        kept = known.tables if known is not None and known.generation.id == generation.id else {}
        self._manifest, self._snapshot = manifest, Snapshot(generation, {**kept, **tables})
        self._known_files.clear()

    async def _load(self, snapshot: Snapshot, fields: Iterable[PriceField]) -> bool:
        for which in fields:
            if which in snapshot.tables:
                self._counters.add(reused=1)
                continue
            key = snapshot.generation.key(which)
            stored = await self._objects.find(key)
            if stored is None:
                return False
            snapshot.tables[which] = await self._decoded(stored)
        return True

    async def _imported(self) -> Snapshot:
        """The legacy's own two files, as long as nothing else was written; absent ones are empty."""
        tables = {which: await self._file(key) for which, key in FILES.items()}
        return Snapshot(Generation(coverage=PricePair.of(tables).coverage()), tables)

    async def _file(self, key: str) -> PriceTable:
        known = self._known_files.get(key)
        stored = await self._objects.find(key, known[0] if known else None)
        if stored is None:
            return PriceTable.empty()
        if known is None or stored is not known[0]:
            # Without its content: of that, the table is what is used again.
            known = StoredObject(key=key, etag=stored.etag, body=b""), await self._decoded(stored)
            self._known_files[key] = known
        return known[1]

    async def _decoded(self, stored: StoredObject) -> PriceTable:
        self._counters.add(read_bytes=len(stored.body))
        return await asyncio.to_thread(decode_prices, stored.body, f"{stored.key} in {self._objects.location}")
