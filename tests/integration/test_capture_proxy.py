"""The recording proxy hands on exactly what comes, in both directions, and tells of it."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from harness.adapters.capture_proxy import CaptureProxy, ProxyOptions
from harness.adapters.capture_upstream import Upstream
from harness.child import free_port
from harness.domain.capture.steps import Captured
from harness.domain.errors import ConfigurationError
from tests.builders.canned_upstream import ask, canned, read_head, served

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Running:
    """A proxy with what it told of."""

    def __init__(self, origin: str, **options: int | bool) -> None:
        self.captured: list[Captured] = []
        self.outages: list[str] = []
        self.proxy = CaptureProxy(
            Upstream(origin),
            on_exchange=self.captured.append,
            before_answer=self._nothing,
            on_outage=self.outages.append,
            options=ProxyOptions(grace_s=0.2, **options),  # type: ignore[arg-type]
        )

    async def _nothing(self) -> None:
        return None

    @property
    def url(self) -> str:
        return self.proxy.url


@asynccontextmanager
async def proxied(origin: str, **options: int | bool) -> AsyncIterator[Running]:
    running = Running(origin, **options)
    await running.proxy.start("127.0.0.1", 0)
    try:
        yield running
    finally:
        await running.proxy.stop()


async def test_targets_and_headers_pass_unchanged_in_both_directions() -> None:
    received: list[bytes] = []
    answer = (
        b"HTTP/1.1 299 Quite Fine\r\nset-COOKIE: a=1\r\nX-B: \xc3\xa9\r\nset-cookie: b=2\r\nConnection: X-Hop\r\n"
        b"X-Hop: 1\r\nKeep-Alive: timeout=9\r\nContent-Length: 2\r\n\r\nok"
    )
    async with canned(answer, received) as origin, proxied(origin) as running:
        request = (
            b"GET //a%2Fb/../c?x=%7e&x=&y?z HTTP/1.1\r\nhost: Client.example\r\nX-One: 1\r\nx-ONE: 2\r\n"
            b"Connection: close, x-gone\r\nX-Gone: 1\r\nAccept-Encoding: gzip\r\n\r\n"
        )
        came = await ask(running.url, request)
    head, _, _ = received[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"GET //a%2Fb/../c?x=%7e&x=&y?z HTTP/1.1",
        b"host: Client.example",
        b"X-One: 1",
        b"X-One: 2",
        b"Accept-Encoding: gzip",
    ]
    assert came.split(b"\r\n") == [
        b"HTTP/1.1 299 Quite Fine",
        b"set-COOKIE: a=1",
        b"X-B: \xc3\xa9",
        b"set-cookie: b=2",
        b"Content-Length: 2",
        b"Connection: close",
        b"",
        b"ok",
    ]
    (captured,) = running.captured
    assert captured.exchange.request.url == "//a%2Fb/../c?x=%7e&x=&y?z"
    assert captured.exchange.response is not None
    assert captured.exchange.response.header_values("set-cookie") == ("a=1", "b=2")
    assert captured.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("request_line", "answer", "expected"),
    [
        (
            b"HEAD / HTTP/1.1",
            b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 77",
        ),
        (b"GET / HTTP/1.1", b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content"),
        (
            b"GET / HTTP/1.1",
            b"HTTP/1.1 304 Not Modified\r\nETag: a\r\nContent-Length: 9\r\n\r\n",
            b"HTTP/1.1 304 Not Modified\r\nETag: a\r\nContent-Length: 9",
        ),
        (b"GET / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0"),
    ],
)
async def test_answers_without_a_body_keep_their_headers(request_line: bytes, answer: bytes, expected: bytes) -> None:
    async with canned(answer, []) as origin, proxied(origin) as running:
        came = await ask(running.url, request_line + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert came == expected + b"\r\nConnection: close\r\n\r\n"


async def test_compressed_bodies_pass_byte_for_byte() -> None:
    body = gzip.compress(b"x" * 1000, mtime=7)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with canned(head + body, []) as origin, proxied(origin) as running:
        came = await ask(running.url, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert came.endswith(b"\r\n\r\n" + body) and b"Content-Encoding: gzip" in came
    assert running.captured[0].exchange.response is not None
    assert running.captured[0].exchange.response.body == body


async def test_an_answer_is_streamed_while_it_comes() -> None:
    go_on = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await asyncio.wait_for(go_on.wait(), 10)
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        await writer.drain()

    async with (
        served(script) as origin,
        proxied(origin) as running,
        aiohttp.ClientSession() as client,
        client.get(running.url) as answer,
    ):
        assert await answer.content.readany() == b"one"
        go_on.set()
        assert await answer.content.read() == b"two"


async def test_large_bodies_pass_whole_in_both_directions_and_are_kept_up_to_the_limit() -> None:
    sent = bytes(range(256)) * 20_000
    seen = bytearray()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await read_head(reader)).lower()
        assert b"transfer-encoding: chunked" in head and b"content-length" not in head
        while size := int(await reader.readline(), 16):
            seen.extend(await reader.readexactly(size))
            await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(sent))
        writer.write(sent)
        await writer.drain()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(sent), 300_000):
            yield sent[start : start + 300_000]

    async with (
        served(script) as origin,
        proxied(origin, max_kept_bytes=1_000_000) as running,
        aiohttp.ClientSession() as client,
        client.post(running.url, data=chunks()) as answer,
    ):
        assert await answer.read() == sent
    assert seen == sent
    (captured,) = running.captured
    assert not captured.is_request_whole
    assert captured.exchange.response is not None and captured.exchange.response.is_truncated


async def test_a_client_that_asks_whether_to_send_is_told_to() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        assert b"content-length: 5" in head.lower() and b"expect" not in head.lower()
        assert await reader.readexactly(5) == b"hello"
        writer.write(_OK)
        await writer.drain()

    async with served(script) as origin, proxied(origin) as running:
        host, _, port = running.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert await read_head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        writer.close()


async def test_an_answer_that_breaks_off_breaks_off_for_the_client() -> None:
    answers = [b"Content-Length: 100\r\n\r\nonly this", b"Transfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n"]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + answers.pop(0))
        await writer.drain()

    async with served(script) as origin, proxied(origin) as running, aiohttp.ClientSession() as client:
        for _ in range(2):
            with pytest.raises(aiohttp.ClientError):
                async with client.get(running.url) as answer:
                    await answer.read()
    assert [each.exchange.response.is_truncated for each in running.captured if each.exchange.response] == [True, True]


async def test_locations_name_the_origin_that_the_client_used() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await read_head(reader)).decode()
        host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        writer.write(
            f"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{host}/a/\r\nContent-Length: 0\r\n\r\n".encode()
        )
        await writer.drain()

    async with served(script) as origin, aiohttp.ClientSession() as client:
        for rewrites in (False, True):
            async with proxied(origin, keeps_host=not rewrites) as running:
                async with client.get(f"{running.url}/a", allow_redirects=False) as answer:
                    assert answer.headers["Location"] == f"{running.url}/a/"
                sent = running.captured[0].exchange.response
                assert sent is not None
                assert sent.header_values("location") == ((f"{origin}/a/",) if rewrites else (f"{running.url}/a/",))


async def test_a_write_is_sent_once_and_a_read_again_on_a_connection_that_was_closed() -> None:
    heads: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Says nothing of closing, answers one request and hangs up on the next, as a server that was idle does.
        heads.append(await read_head(reader))
        if heads[-1].startswith(b"DELETE"):
            return
        writer.write(_OK)
        await writer.drain()
        await reader.read(1)

    async with served(script) as origin, proxied(origin) as running, aiohttp.ClientSession() as client:
        for _ in range(2):
            async with client.get(running.url) as answer:
                assert answer.status == 200
        async with client.delete(running.url) as answer:
            assert answer.status == 502
    assert [head.split(b" ", 1)[0] for head in heads] == [b"GET", b"GET", b"DELETE"]
    broken = running.captured[-1].exchange
    assert (broken.response, broken.transport_error) == (None, "connection closed before an answer")


async def test_without_an_upstream_the_client_is_told_so() -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    async with proxied(origin) as running, aiohttp.ClientSession() as client, client.get(running.url) as answer:
        assert answer.status == 502
        assert origin in (await answer.json())["detail"] and "no connection" in (await answer.json())["detail"]
    assert running.captured == [] and len(running.outages) == 1


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://a", "http://", "http://a/base", "http://u:p@a", "http://a?b"])
def test_an_upstream_that_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Upstream(url)
