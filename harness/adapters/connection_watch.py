"""How many connections a PostgreSQL server has, looked at again and again while something else goes on."""

import asyncio
import contextlib
import time
from typing import Any

from harness.adapters.postgres import postgres_errors
from harness.adapters.postgres_dsn import APPLICATION_NAME, connect

_PERIOD_S = 0.2
_LIMIT = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
     - current_setting('reserved_connections')::int
"""
_HELD = """
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> $1
"""


class ConnectionWatch:
    """Counts client connections, the judge's own apart, from entering the context to leaving it.

    `dsn` should be a superuser's: the server still lets one in when it is full, and hides nothing from it.
    """

    def __init__(self, dsn: str, *, period_s: float = _PERIOD_S) -> None:
        self._dsn = dsn
        self._period_s = period_s
        self._connection: Any = None
        self._sampling: asyncio.Task[None] | None = None
        self._began = 0.0
        self.limit = 0
        """How many connections the server gives to others than superusers."""
        self.samples: list[tuple[float, int]] = []
        """Seconds since the watch began, and connections then."""

    @property
    def peak(self) -> int:
        """The most connections that were seen at once."""
        return max((held for _, held in self.samples), default=0)

    async def __aenter__(self) -> "ConnectionWatch":
        """Raises SystemUnavailable where the server does not answer."""
        async with postgres_errors(self._dsn):
            self._connection = await connect(self._dsn)
            self.limit = await self._connection.fetchval(_LIMIT)
        self._began = time.monotonic()
        self._sampling = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Raises SystemUnavailable where the server did not answer all the time: a peak may have been missed."""
        if self._sampling is not None:
            self._sampling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                async with postgres_errors(self._dsn):
                    await self._sampling
        await self._connection.close()

    async def _sample(self) -> None:
        while True:
            held = await self._connection.fetchval(_HELD, APPLICATION_NAME)
            self.samples.append((round(time.monotonic() - self._began, 3), held))
            await asyncio.sleep(self._period_s)
