"""Clients of AWS's services. botocore itself honours AWS_ENDPOINT_URL and the function's role."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from target.collection import collection_paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one call may take; botocore's standard mode tries again, each time after a random wait."""

    connect_timeout_s: float
    read_timeout_s: float
    tries: int


class AwsClient:
    """One service's client for this process: opened when first needed, kept until its loop ends."""

    def __init__(self, service: str, region: str, patience: Patience) -> None:
        self._service = service
        self._region = region
        self._patience = patience
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def opened(self) -> Any:
        """Return the client of the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Connections belong to the loop that opened them: they cannot even be closed from another.
            self._client, self._stack, self._loop, self._opening = None, AsyncExitStack(), loop, asyncio.Lock()
        async with self._opening:
            if self._client is None:
                self._client = await self._stack.enter_async_context(self._new())
            return self._client

    async def close(self) -> None:
        """Close the client, on the loop that opened it; the next call opens another."""
        self._client = None
        await self._stack.aclose()

    def _new(self) -> Any:
        # Here, not at the top: botocore costs about a quarter second that whoever calls no service is spared.
        with collection_paused():
            import aioboto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415

        limits = Config(
            connect_timeout=self._patience.connect_timeout_s,
            read_timeout=self._patience.read_timeout_s,
            retries={"total_max_attempts": self._patience.tries, "mode": "standard"},
        )
        return aioboto3.Session().client(self._service, region_name=self._region, config=limits)
