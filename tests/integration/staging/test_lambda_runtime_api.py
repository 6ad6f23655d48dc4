"""The Runtime API over a socket, as AWS documents it for custom runtimes."""

import asyncio
import errno
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from harness.domain.errors import SystemUnavailable
from harness.staging.environments import EnvironmentEnded
from harness.staging.runtime_api import MAX_PAYLOAD_BYTES, RuntimeApi, RuntimeInvocation

_ARN = "arn:aws:lambda:us-east-2:123456789012:function:custom-runtime"
_INVOCATION = RuntimeInvocation(
    request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    payload=b'{"key": "value"}',
    deadline_ms=1542409706888,
    trace_id="Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
)

Reply = tuple[int, dict[str, str], bytes]
Call = Callable[..., Awaitable[Reply]]


@pytest.fixture
async def api() -> AsyncIterator[RuntimeApi]:
    served = RuntimeApi(function_arn=_ARN)
    served.listen()
    yield served
    served.close()


@pytest.fixture
async def call(api: RuntimeApi) -> AsyncIterator[Call]:
    """Sends one request on a connection that is kept, a few bytes at a time if asked."""
    host, _, port = api.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    async def send(method: str, path: str, body: bytes = b"", *, headers: str = "", piece: int = 1 << 20) -> Reply:
        head = (
            f"{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        )
        wire = head.encode() + body
        for start in range(0, len(wire), piece):
            writer.write(wire[start : start + piece])
            await writer.drain()
        return await asyncio.wait_for(_read(reader), timeout=10)

    yield send
    writer.close()


async def _read(reader: asyncio.StreamReader) -> Reply:
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status_line.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def test_next_gives_the_event_with_lambdas_headers(api: RuntimeApi, call: Call) -> None:
    api.deliver(_INVOCATION)

    status, headers, body = await call("GET", "invocation/next")

    assert (status, body) == (200, _INVOCATION.payload)
    assert headers["lambda-runtime-aws-request-id"] == _INVOCATION.request_id
    assert headers["lambda-runtime-deadline-ms"] == "1542409706888"
    assert headers["lambda-runtime-invoked-function-arn"] == _ARN
    assert headers["lambda-runtime-trace-id"] == _INVOCATION.trace_id
    assert headers["content-type"] == "application/json"


async def test_next_waits_for_an_event(api: RuntimeApi, call: Call) -> None:
    waiting = asyncio.create_task(call("GET", "invocation/next"))
    await asyncio.wait_for(api.initialised, timeout=10)
    assert not waiting.done()

    api.deliver(_INVOCATION)

    assert (await waiting)[2] == _INVOCATION.payload


async def test_a_response_is_accepted_and_handed_over(api: RuntimeApi, call: Call) -> None:
    answer = api.deliver(_INVOCATION)
    await call("GET", "invocation/next")

    status, _, body = await call("POST", f"invocation/{_INVOCATION.request_id}/response", b'"SUCCESS"')

    assert (status, json.loads(body)) == (202, {"status": "OK"})
    assert (await answer).payload == b'"SUCCESS"'
    assert (await answer).error_type is None


async def test_an_invocation_error_has_the_type_that_the_runtime_gave(api: RuntimeApi, call: Call) -> None:
    answer = api.deliver(_INVOCATION)
    await call("GET", "invocation/next")
    error = b'{"errorMessage": "Error parsing event data.", "errorType": "InvalidEventDataException", "stackTrace": []}'

    status, _, _ = await call(
        "POST",
        f"invocation/{_INVOCATION.request_id}/error",
        error,
        headers="Lambda-Runtime-Function-Error-Type: Unhandled\r\n",
    )

    assert status == 202
    assert (await answer).error_type == "InvalidEventDataException"
    assert (await answer).payload == error


async def test_an_init_error_ends_init(api: RuntimeApi, call: Call) -> None:
    error = b'{"errorMessage": "Failed to load function.", "errorType": "InvalidFunctionException", "stackTrace": []}'

    status, _, _ = await call("POST", "init/error", error)

    assert status == 202
    outcome = await asyncio.wait_for(api.initialised, timeout=10)
    assert outcome is not None
    assert outcome.error_type == "InvalidFunctionException"


async def test_an_answer_to_another_invocation_is_refused(api: RuntimeApi, call: Call) -> None:
    answer = api.deliver(_INVOCATION)
    await call("GET", "invocation/next")

    status, _, body = await call("POST", "invocation/another/response", b"{}")

    assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")
    assert not answer.done()


async def test_a_second_answer_is_refused(api: RuntimeApi, call: Call) -> None:
    answer = api.deliver(_INVOCATION)
    await call("GET", "invocation/next")
    path = f"invocation/{_INVOCATION.request_id}/response"

    assert (await call("POST", path, b"1"))[0] == 202
    assert (await call("POST", path, b"2"))[0] == 400
    assert (await answer).payload == b"1"


async def test_an_answer_over_the_limit_is_refused(api: RuntimeApi, call: Call) -> None:
    answer = api.deliver(_INVOCATION)
    await call("GET", "invocation/next")

    path = f"invocation/{_INVOCATION.request_id}/response"
    status, _, body = await call("POST", path, b"x" * (MAX_PAYLOAD_BYTES + 1))

    assert (status, json.loads(body)["errorType"]) == (413, "RequestEntityTooLarge")
    assert (await answer).error_type == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "nothing"), ("POST", "invocation/x/other"), ("PUT", "init/error")]
)
async def test_unknown_operations_are_not_found(call: Call, method: str, path: str) -> None:
    assert (await call(method, path))[0] == 404


async def test_requests_arrive_whole_however_they_are_cut(api: RuntimeApi, call: Call) -> None:
    answer = api.deliver(_INVOCATION)
    await call("GET", "invocation/next", piece=1)

    await call("POST", f"invocation/{_INVOCATION.request_id}/response", b'{"a": "b"}', piece=3)

    assert (await answer).payload == b'{"a": "b"}'


async def test_whoever_waits_for_a_process_that_ends_is_told(api: RuntimeApi) -> None:
    answer = api.deliver(_INVOCATION)

    api.abandon(EnvironmentEnded("Runtime.ExitError", "Runtime exited with error: exit status 1"))

    with pytest.raises(EnvironmentEnded):
        await answer
    with pytest.raises(EnvironmentEnded):
        await api.initialised
    assert not api.is_delivered


@pytest.mark.parametrize("turns", range(8))
async def test_a_connection_that_comes_while_it_closes_is_dropped(turns: int) -> None:
    served = RuntimeApi(function_arn=_ARN)
    served.listen()
    host, _, port = served.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as runtime:
        for _ in range(turns):  # of the event loop: none, accepted, half made, made
            await asyncio.sleep(0)

        served.close()

        runtime.setblocking(False)
        try:
            left = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(runtime, 1), timeout=10)
        except ConnectionResetError:
            left = b""
    assert left == b""
    assert not served.connections


class _NoMoreFiles(socket.socket):
    def accept(self) -> tuple[socket.socket, object]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


async def test_a_connection_that_cannot_be_accepted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", _NoMoreFiles)
    served = RuntimeApi(function_arn=_ARN)
    served.listen()
    monkeypatch.undo()
    host, _, port = served.address.partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10),
        pytest.raises(SystemUnavailable, match="Too many open files"),
    ):
        await asyncio.wait_for(served.initialised, timeout=10)
    assert not served.is_listening
