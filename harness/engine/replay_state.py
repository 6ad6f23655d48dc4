"""Both sides' databases during a replay: restored together, read after every step, compared once at the start."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol, runtime_checkable

from harness.domain.compare_rows import compare_states, diff_states
from harness.domain.difference import Difference
from harness.domain.errors import HarnessError, SystemUnavailable
from harness.domain.ports import StateStore
from harness.domain.record import RowChange
from harness.domain.row_mapping import RowMapping
from harness.domain.rows import DatabaseState, TableSchema
from harness.uninterrupted import run_together

Changes = tuple[RowChange, ...]
_LATE_COMMIT_WAITS_S = (0.02, 0.08)


@runtime_checkable
class SupportsChangeToken(Protocol):
    """A store that can tell cheaply whether anything was committed since it was last asked."""

    async def change_token(self) -> object:
        """Equal tokens guarantee equal rows; None means that it cannot be told."""


class StatePair:
    """The two stores, or none: state is compared only where both are known."""

    def __init__(
        self,
        legacy: StateStore | None,
        target: StateStore | None,
        *,
        mapping: RowMapping | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._stores = () if legacy is None or target is None else (WatchedStore(legacy), WatchedStore(target))
        self._mapping = mapping
        self._sleep = sleep
        self.initial_differences: tuple[Difference, ...] = ()
        self.legacy_schemas: Mapping[str, TableSchema] = {}
        self.target_schemas: Mapping[str, TableSchema] = {}

    @property
    def is_compared(self) -> bool:
        """True where both databases are known."""
        return bool(self._stores)

    async def capture(self) -> None:
        """Remembers the present state and compares the two sides in it.

        Raises:
            ConfigurationError: a database is not marked as disposable; both were left as they are.
        """
        for watched in self._stores:
            await watched.store.require_disposable()
        for watched in self._stores:
            await watched.store.capture()
        if self._stores:
            legacy, target = [await watched.store.read() for watched in self._stores]
            self.legacy_schemas, self.target_schemas = _schemas(legacy), _schemas(target)
            self.initial_differences = compare_states(legacy, target, mapping=self._mapping)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Captures the present state and brings it back when the context is left, however that comes.

        Raises:
            ConfigurationError: as `capture`.
            SystemUnavailable: the state could not be restored, and nothing had failed before: an interrupt is no
                failure. Where something had, a note says so on that error.
        """
        await self.capture()
        try:
            yield
            await self.restore()
        except BaseException as error:
            await self._restore_after(error)
            raise

    async def _restore_after(self, error: BaseException) -> None:
        try:
            await self.restore()
        except HarnessError as second:
            if isinstance(error, asyncio.CancelledError):  # of which nobody reads a note
                what = f"interrupted, and the state at the start could not be restored: {second.what}"
                raise SystemUnavailable(what, where=second.where, hint=second.hint) from second
            error.add_note(f"The state at the start could not be restored: {second}")

    async def restore(self) -> None:
        """Brings both sides back to the captured state."""
        await run_together(*(watched.restore() for watched in self._stores))

    async def start(self) -> None:
        """Reads the rows that the first step's changes are counted from."""
        await run_together(*(watched.start() for watched in self._stores))

    async def changes(self) -> tuple[Changes, Changes]:
        """What was inserted, updated and deleted on each side since `start` or the last call.

        Where one side changed and the other did not, both are read again a moment later: a system may commit just
        after it has answered, and a late write is not a lost one.
        """
        if not self._stores:
            return (), ()
        legacy, target = await self._read_changes()
        for wait_s in _LATE_COMMIT_WAITS_S:
            if bool(legacy) == bool(target):
                break
            await self._sleep(wait_s)
            legacy, target = await self._read_changes()
        for watched in self._stores:
            watched.accept()
        return legacy, target

    async def _read_changes(self) -> tuple[Changes, Changes]:
        legacy, target = await run_together(*(watched.changes() for watched in self._stores))
        return legacy, target


class WatchedStore:
    """One store with the rows as they were before the present step and as last read."""

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self._before: DatabaseState = {}
        self._latest: DatabaseState = {}
        self._token: object = None

    async def restore(self) -> None:
        """Brings the captured state back."""
        await self.store.restore()

    async def start(self) -> None:
        """Reads the rows that the next changes are counted from."""
        await self._refresh()
        self._before = self._latest

    async def changes(self) -> Changes:
        """What has changed since `start` or `accept`."""
        await self._refresh()
        return () if self._latest is self._before else diff_states(self._before, self._latest)

    async def _refresh(self) -> None:
        token = await self._fetch_token()
        if token is None or token != self._token:
            # The token is older than the rows: what is committed in between makes the next token differ.
            self._latest, self._token = await self.store.read(), token

    def accept(self) -> None:
        """Counts the next changes from what was read last."""
        self._before = self._latest

    async def _fetch_token(self) -> object:
        return await self.store.change_token() if isinstance(self.store, SupportsChangeToken) else None


def _schemas(state: DatabaseState) -> dict[str, TableSchema]:
    return {name: table.schema for name, table in state.items()}
