"""Stores sessions while the replay goes on: many that wait are written at once."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from harness.adapters.evidence_store import EvidenceStore
from harness.domain.record import SessionRecord
from harness.uninterrupted import run_to_its_end


class SessionWriter:
    """Takes records and stores them behind the replay's back; all are stored when the context is left.

    What is taken is encoded at once, in the caller's thread; only what waits for the disk runs in another. A run that
    is killed has lost the sessions that waited, and they count as not done.
    """

    def __init__(self, store: EvidenceStore, on_stored: Callable[[int], None]) -> None:
        self._store = store
        self._on_stored = on_stored
        self._stored = 0
        self._waiting: dict[str, bytes] = {}
        self._cut: dict[str, bytes] = {}
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writing is not None:
            await self._writing
        await self._write()
        if self._cut:
            self._store.append_cut(self._cut)
            self._on_stored(self._stored + len(self._cut))

    def take(self, record: SessionRecord) -> None:
        """Accepts a session.

        Raises:
            HarnessError: an earlier one could not be stored.
        """
        self._waiting[record.session_id] = self._store.encode(record)
        if self._writing is None or self._writing.done():
            if self._writing is not None:
                self._writing.result()
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def take_cut(self, record: SessionRecord) -> None:
        """Accepts what was seen of a session that was not replayed to its end; it is stored behind all others."""
        self._cut[record.session_id] = self._store.encode(record)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            await run_to_its_end(asyncio.to_thread(self._store.append_encoded, batch))
            self._stored += len(batch)
            self._on_stored(self._stored)
