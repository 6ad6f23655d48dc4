"""What the engine needs of the outside; adapters and fakes provide it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from harness.domain.exchange import Exchange, Request
from harness.domain.row_difference import Key
from harness.domain.row_parity import KeyRange
from harness.domain.rows import DatabaseState, Row, TableSchema


class SideClient(Protocol):
    """Sends requests to one side."""

    async def send(self, request: Request) -> Exchange:
        """Sends once, never follows redirects; a broken connection is an Exchange with `transport_error`."""

    async def close(self) -> None:
        """Closes all connections."""


class StateStore(Protocol):
    """One side's database: the state to start every session from, and a view of the rows."""

    async def require_disposable(self) -> None:
        """Raises ConfigurationError unless the database carries the `parakeet_disposable` marker."""

    async def capture(self) -> None:
        """Remembers the present state as the one that `restore` goes back to."""

    async def restore(self) -> None:
        """Brings the captured state back; live connections of the system stay valid."""

    async def read(self) -> DatabaseState:
        """All rows of all compared tables."""

    async def close(self) -> None:
        """Releases connections; leaves the database as it is."""


@runtime_checkable
class SupportsRecovery(Protocol):
    """A store whose captured state outlives a killed process."""

    async def recover(self) -> None:
        """Brings back what a process that was killed had captured; nothing where there is no such state."""


class RowReader(Protocol):
    """One database at one moment."""

    async def read_schemas(self) -> Mapping[str, TableSchema]:
        """All tables but bookkeeping."""

    async def find_bound(self, table: str, key: Sequence[str], after: Key | None, rows: int) -> Key | None:
        """The key of the row that lies `rows` rows after `after`; None where there are fewer."""

    def read_blocks(self, table: str, key: Sequence[str], keys: KeyRange) -> AsyncIterator[Sequence[Row]]:
        """The rows of a range in the order of `row_order`, some thousand at a time."""

    async def find_rows(self, table: str, key: Sequence[str], keys: Sequence[Key]) -> Sequence[Row]:
        """The rows that have one of these keys, in any order."""


class RowSource(Protocol):
    """A database that can be read at several moments."""

    keeps_spellings: bool
    """Whether a value is kept, and sorted, as it was written, whatever type its column declares."""

    def open_reader(self) -> AbstractAsyncContextManager[RowReader]:
        """A view of one moment: rows that are written later are not seen."""
