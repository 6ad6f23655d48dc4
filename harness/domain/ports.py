"""What the engine needs of the outside; adapters and fakes provide it."""

from typing import Protocol

from harness.domain.exchange import Exchange, Request
from harness.domain.rows import DatabaseState


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
