"""A server that answers with given bytes, and keeps the bytes that it was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """The bytes of a message up to its body."""
    return await reader.readuntil(b"\r\n\r\n")


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[str]:
    """Runs `script` for every connection; gives the origin."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await script(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def canned(answer: bytes, received: list[bytes]) -> AsyncIterator[str]:
    """Answers each request that has no body with the same bytes; its head is added to `received`."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            received.append(await read_head(reader))
            writer.write(answer)
            await writer.drain()

    async with served(script) as origin:
        yield origin


async def ask(url: str, request: bytes) -> bytes:
    """All bytes that come back until the server hangs up."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()
