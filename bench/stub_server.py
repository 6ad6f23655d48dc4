"""A server that does nothing but answer: 1 KB of JSON to every request, connections kept open.

`python -m bench.stub_server PORT`. It parses no more of HTTP than where a request without a body ends.
"""

import asyncio
import sys

import orjson

BODY = orjson.dumps({"items": [{"id": n, "name": f"item {n}", "price": n + 0.5} for n in range(24)]}).ljust(1024)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nserver: stub\r\n\r\n" % len(BODY)
) + BODY
_END = b"\r\n\r\n"


class _Answering(asyncio.Protocol):
    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._seen = (self._seen + data).split(_END)
        self._transport.write(_ANSWER * len(requests))


async def serve(port: int) -> None:
    """Answers on loopback until the process is ended."""
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
