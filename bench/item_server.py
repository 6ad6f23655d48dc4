"""A server of made-up items: `python -m bench.item_server PORT [--differs]`.

Every path has an answer of about 1 KB that follows from the path alone, but for a clock in each tenth of them. With
`--differs` each fiftieth item costs another price, and each seventh has its members in another order.
"""

import argparse
import asyncio
import re
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zlib import crc32

import orjson

_REQUEST = re.compile(rb"(\S+) (\S+) HTTP/1\.1\r\n.*?\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CLOCKS, _PRICES, _ORDERS = 10, 50, 7


class _Answering(asyncio.Protocol):
    def __init__(self, *, differs: bool) -> None:
        self._differs = differs
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (match := _REQUEST.match(self._seen)) is not None:
            length = _LENGTH.search(match.group())
            end = match.end() + (int(length.group(1)) if length else 0)
            if len(self._seen) < end:
                return
            self._seen = self._seen[end:]
            self._transport.write(_answer(match.group(2), differs=self._differs))


def _answer(path: bytes, *, differs: bool) -> bytes:
    document = _document(path, differs=differs)
    status = b"404 Not Found" if path == b"/openapi.json" else b"200 OK"
    body = orjson.dumps(document)
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nset-cookie: s=%x\r\ncontent-length: %d\r\n\r\n"
    return head % (status, crc32(path), len(body)) + body


def _document(path: bytes, *, differs: bool) -> dict[str, Any]:
    number = crc32(path)
    document: dict[str, Any] = {
        "path": path.decode(),
        "price": number % 10_000 / 4 + (differs and number % _PRICES == 0),
        "token": f"secret-{number}",
        "lines": [{"id": n, "name": f"line {n} of {number}", "price": (number + n) % 997 / 4} for n in range(16)],
    }
    if number % _CLOCKS == 1:
        # Even microseconds on one side, odd ones on the other: the same moment would be no difference, in some runs.
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 2 * 2 + differs)
        document["served_at"] = now.isoformat(timespec="microseconds")
    if differs and number % _ORDERS == 0:
        document = dict(reversed(document.items()))
    return document


async def serve(port: int, *, differs: bool) -> None:
    """Answers on loopback until the process is ended."""
    answering = partial(_Answering, differs=differs)
    server = await asyncio.get_running_loop().create_server(answering, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--differs", action="store_true")
    given = parser.parse_args()
    asyncio.run(serve(given.port, differs=given.differs))
