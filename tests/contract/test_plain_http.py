"""Locust workers send by another client than the rest: it must send and keep the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.adapters.http import HttpSide
from harness.adapters.plain_http import PlainSide
from harness.child import free_port
from harness.domain.exchange import Exchange, Request, Side

ANSWERS = {
    "plain": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: b\r\nSet-Cookie: c\r\n\r\nhi",
    "chunked": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
    "empty": b"HTTP/1.1 204 No Content\r\nX-B:  spaced \r\n\r\n",
    "until closed": b"HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n\xff\xfe",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nonly",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nnot",
    "redirect": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "hangs up": b"",
    "no http": b"nothing of the kind\r\n\r\n",
}
REQUESTS = {
    "read": Request(method="GET", url="/a?b=%zz&c=é d"),
    "headers": Request(method="GET", url="/", headers=(("X-One", "1"), ("x-Two", "ü"), ("Accept", "x/y"))),
    "write": Request(method="POST", url="/", headers=(("Content-Type", "text/plain"),), body=b"body"),
    "write nothing": Request(method="POST", url="/"),
    "other host": Request(method="GET", url="/", headers=(("Host", "elsewhere.test"),)),
}


@asynccontextmanager
async def answering(answer: bytes, requests: list[bytes]) -> AsyncIterator[str]:
    """The address of a server that notes what comes and answers these bytes, then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        requests.append(head + await reader.readexactly(length))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/below"


async def both(url: str, request: Request) -> tuple[Exchange, Exchange]:
    usual = HttpSide(Side.LEGACY, url)
    try:
        one = await usual.send(request)
    finally:
        await usual.close()
    return one, await asyncio.to_thread(PlainSide(side=Side.LEGACY, base_url=url, source="127.0.0.5").send, request)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_the_same_answer_is_kept_the_same(answer: bytes):
    async with answering(answer, []) as url:
        one, other = await both(url, REQUESTS["read"])
    assert (other.response, other.transport_error) == (one.response, one.transport_error)
    assert (other.request, other.base_url, other.side) == (one.request, one.base_url, one.side)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_the_same_request_goes_out_the_same(request_: Request):
    sent: list[bytes] = []
    async with answering(ANSWERS["plain"], sent) as url:
        await both(url, request_)
    one, other = ({*each.split(b"\r\n")} for each in sent)
    assert other == one


async def test_nobody_there_is_told_in_the_same_words():
    one, other = await both(f"http://127.0.0.1:{free_port()}", REQUESTS["read"])
    assert other.transport_error == one.transport_error == "connection refused"
