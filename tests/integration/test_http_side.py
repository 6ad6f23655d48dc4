"""The HTTP client against servers that answer well, badly and not at all."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from harness.adapters.http import HttpOptions, HttpSide
from harness.child import free_port
from harness.domain.errors import ConfigurationError, SystemUnavailable
from harness.domain.exchange import Request, Side
from harness.domain.request_target import wire_target

Handler = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NOW = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)


class RawServer:
    """Speaks bytes: `requests` are the heads received, `connections` counts sockets accepted."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head)
                await self._handle(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[RawServer]:
    raw = RawServer(handle)
    server = await asyncio.start_server(raw.accept, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield raw


@asynccontextmanager
async def client_of(url: str, **options: object) -> AsyncIterator[HttpSide]:
    side = HttpSide(Side.LEGACY, url, options=HttpOptions(**options), clock=lambda: NOW)  # type: ignore[arg-type]
    try:
        yield side
    finally:
        await side.close()


def answering(raw: bytes, *, then_close: bool = False) -> Handler:
    async def handle(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if then_close:
            writer.close()
            raise ConnectionResetError

    return handle


OK = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize(
    "url",
    [
        "/a//b",
        "//x/y",
        "/a/../b?x=%zz&y=a+b%20c",
        "/empty?",
        "/%2F%e9?q=%2b",
        "/frag#ment?x",
        "/a?b=c?d=e&&=",
        "/{x}|^`",
    ],
)
async def test_the_target_goes_out_byte_for_byte(url: str) -> None:
    async with serving(OK) as server, client_of(server.url) as side:
        exchange = await side.send(Request(method="GET", url=url))
    assert server.requests[0].split(b"\r\n")[0] == b"GET " + url.encode() + b" HTTP/1.1"
    assert exchange.request.url == url


async def test_a_prefix_of_the_address_is_kept() -> None:
    async with serving(OK) as server, client_of(server.url + "/stage/") as side:
        await side.send(Request(method="GET", url="/a?x"))
    assert server.requests[0].startswith(b"GET /stage/a?x HTTP/1.1")


def test_only_what_breaks_a_request_line_is_encoded() -> None:
    assert wire_target("/é y?q=a b\r\nX: 1") == "/%C3%A9%20y?q=a%20b%0D%0AX:%201"
    assert wire_target("/%zz?a=%20+#") == "/%zz?a=%20+#"


async def test_headers_go_out_as_given_and_nothing_is_added() -> None:
    headers = (("X-Twice", "1"), ("x-twice", "2"), ("Accept", "a/b"))
    async with serving(OK) as server, client_of(server.url) as side:
        await side.send(Request(method="GET", url="/", headers=headers))
    lines = server.requests[0].decode().strip().split("\r\n")[1:]
    assert sorted(lines) == sorted([f"Host: {server.url[7:]}", "X-Twice: 1", "X-Twice: 2", "Accept: a/b"])


async def test_repeated_answer_headers_keep_order_case_and_bytes() -> None:
    raw = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-B: caf\xe9\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    async with serving(answering(raw)) as server, client_of(server.url) as side:
        first = await side.send(Request(method="GET", url="/"))
        await side.send(Request(method="GET", url="/"))
    assert first.response is not None
    assert first.response.headers[:3] == (("Set-Cookie", "a=1"), ("X-B", "café"), ("set-cookie", "b=2"))
    assert all(b"ookie" not in head for head in server.requests)


async def test_compressed_bodies_stay_compressed() -> None:
    body = gzip.compress(b'{"a":1}')
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with serving(answering(raw)) as server, client_of(server.url) as side:
        exchange = await side.send(Request(method="GET", url="/"))
    assert exchange.response is not None and exchange.response.body == body


async def test_redirects_are_answers() -> None:
    raw = b"HTTP/1.1 307 T\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    async with serving(answering(raw)) as server, client_of(server.url) as side:
        exchange = await side.send(Request(method="POST", url="/x", body=b"{}"))
    assert exchange.response is not None and exchange.response.status == 307
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
)
async def test_a_cut_off_body_is_kept_and_marked(raw: bytes) -> None:
    async with serving(answering(raw, then_close=True)) as server, client_of(server.url) as side:
        exchange = await side.send(Request(method="GET", url="/"))
    assert exchange.transport_error is None and exchange.response is not None
    assert (exchange.response.body, exchange.response.is_truncated) == (b"half", True)


async def test_a_body_over_the_limit_is_cut_and_marked() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 4000
    async with serving(answering(raw)) as server, client_of(server.url, max_body_bytes=1000) as side:
        exchange = await side.send(Request(method="GET", url="/"))
    assert exchange.response is not None
    assert (len(exchange.response.body), exchange.response.is_truncated) == (1000, True)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "connection closed before an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", "connection closed before an answer"),
        (b"SMTP ready\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n", "the answer is not HTTP"),
    ],
)
async def test_a_broken_answer_is_a_transport_error_and_is_asked_for_once(raw: bytes, words: str) -> None:
    async with serving(answering(raw, then_close=True)) as server, client_of(server.url) as side:
        exchange = await side.send(Request(method="GET", url="/"))
    assert (exchange.response, exchange.transport_error) == (None, words)
    assert len(server.requests) == 1, "an idempotent request was silently sent again"


@pytest.mark.parametrize("reuse", [False, True])
async def test_a_server_that_closes_after_an_uncaught_error_breaks_no_later_request(reuse: bool) -> None:
    async def handle(head: bytes, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/fails" in head:
            writer.write(b"HTTP/1.1 500 E\r\nContent-Length: 1\r\n\r\nE")
            writer.close()
            raise ConnectionResetError
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    async with serving(handle) as server, client_of(server.url, reuse_connections=reuse) as side:
        statuses = []
        for url in ["/", "/fails", "/", "/fails", "/fails", "/"]:
            exchange = await side.send(Request(method="POST", url=url))
            statuses.append(exchange.response.status if exchange.response else exchange.transport_error)
    assert statuses == [200, 500, 200, 500, 500, 200]
    assert server.connections == (4 if reuse else 6)


async def test_a_slow_answer_ends_at_the_time_out() -> None:
    async def handle(_: bytes, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")

    async with serving(handle) as server, client_of(server.url, timeout_s=0.2) as side:
        exchange = await side.send(Request(method="GET", url="/"))
    assert exchange.transport_error == "no complete answer within 0.2 s"
    assert 190 < exchange.duration_ms < 5000
    assert exchange.sent_at == NOW


async def test_an_address_where_nothing_listens() -> None:
    async with client_of(f"http://127.0.0.1:{free_port()}") as side:
        exchange = await side.send(Request(method="GET", url="/"))
        assert exchange.transport_error == "connection refused"
        with pytest.raises(SystemUnavailable, match=side.base_url):
            await side.require_reachable()


async def test_a_header_that_cannot_be_sent_says_so() -> None:
    async with serving(OK) as server, client_of(server.url) as side:
        exchange = await side.send(Request(method="GET", url="/", headers=(("X", "a\r\nEvil: 1"),)))
    assert exchange.transport_error is not None and exchange.transport_error.startswith("cannot be sent")
    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["127.0.0.1:80", "ftp://h/", "http://", "http://u:secret@h/", "http://h/?q=1", "http://h:x"]
)
def test_an_address_that_is_not_one_is_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        HttpSide(Side.TARGET, url)
    assert "secret" not in str(raised.value)
