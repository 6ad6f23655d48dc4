"""The Lambda Runtime API (version 2018-06-01) of one execution environment, served on loopback.

The protocol is spoken by one trusted process over one or two connections, on the path of every request, so it
is a few lines over asyncio's transports rather than a web framework: about 0.1 ms a call instead of 0.4 ms.

Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
"""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from harness.domain.errors import SystemUnavailable

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100
_PREFIX = "/2018-06-01/runtime/"
_ERROR_TYPE_HEADER = "lambda-runtime-function-error-type"
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 413: "Payload Too Large"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInvocation:
    """An event on its way into the environment."""

    request_id: str
    payload: bytes
    deadline_ms: int
    """Unix time in milliseconds at which the function is stopped."""
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeAnswer:
    """What the runtime sent back; with `error_type`, the payload is the error that it describes."""

    payload: bytes
    error_type: str | None = None


class RuntimeApi:
    """Serves one environment; whoever owns the environment's process calls `abandon` when that ends."""

    def __init__(self, *, function_arn: str, on_waiting: Callable[[], None] = lambda: None) -> None:
        """`on_waiting` is called whenever the runtime has asked for an event and there is none yet."""
        loop = asyncio.get_running_loop()
        self._function_arn = function_arn
        self._on_waiting = on_waiting
        self._listener: socket.socket | None = None
        self._accepting: set[asyncio.Task[object]] = set()
        self.address = ""
        """Host and port, as AWS_LAMBDA_RUNTIME_API names them; known once it listens."""
        self._parked: _Connection | None = None
        self.connections: set[_Connection] = set()
        """Those that are open, waiting for an event or not."""
        self._pending: RuntimeInvocation | None = None
        self._current_id: str | None = None
        self._answer: asyncio.Future[RuntimeAnswer] | None = None
        self.initialised: asyncio.Future[RuntimeAnswer | None] = loop.create_future()
        """None at the first request for an event; an answer with `error_type` if INIT failed."""
        self.initialised_at: float | None = None
        """`time.perf_counter()` at the first request for an event."""

    def listen(self) -> None:
        """Serves a free loopback port from now on, until `close`."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    @property
    def is_listening(self) -> bool:
        """False before `listen` and after `close`."""
        return self._listener is not None

    def deliver(self, invocation: RuntimeInvocation) -> asyncio.Future[RuntimeAnswer]:
        """Hands over an event at the runtime's next request for one; the one before must be answered."""
        self._answer = asyncio.get_running_loop().create_future()
        self._pending = invocation
        self._hand_over()
        return self._answer

    @property
    def is_delivered(self) -> bool:
        """False while an event waits for the runtime to ask for it."""
        return self._pending is None

    def abandon(self, reason: Exception) -> None:
        """The process has ended: whoever waits for it gets `reason`."""
        for waiting in (self.initialised, self._answer):
            if waiting is not None and not waiting.done():
                waiting.set_exception(reason)
                waiting.exception()  # retrieved: nobody may be waiting

    def close(self) -> None:
        """Stops listening and drops the connections, also one that is being accepted at the moment."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for connection in tuple(self.connections):
            connection.close()

    def _accept(self) -> None:
        """One connection more.

        `asyncio.Server` would leak one that it accepts while it is closed: it refuses the transport then and
        leaves the socket to nobody.
        """
        if self._listener is None:
            return
        try:
            accepted, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self.close()
            hint = "Raise the limit of open files (ulimit -n) or end what holds them."
            self.abandon(SystemUnavailable(f"cannot accept a function's connection: {error.strerror}", hint=hint))
            return
        accepted.setblocking(False)
        loop = asyncio.get_running_loop()
        accepting = loop.create_task(loop.connect_accepted_socket(lambda: _Connection(self), accepted))
        self._accepting.add(accepting)
        accepting.add_done_callback(self._accepting.discard)

    def handle(self, request: "_Request", connection: "_Connection") -> None:
        """Answers one request of the runtime, now or when there is an event."""
        path = request.path.removeprefix(_PREFIX)
        if (request.method, path) == ("GET", "invocation/next"):
            self._park(connection)
        elif (request.method, path) == ("POST", "init/error"):
            self._finish_init(RuntimeAnswer(payload=request.body, error_type=request.error_type))
            connection.respond(202, _ACCEPTED)
        elif request.method == "POST" and path.startswith("invocation/"):
            self._finish_invocation(path.removeprefix("invocation/"), request, connection)
        else:
            connection.respond(404, _error("InvalidRequest", f"no such operation: {request.path}"))

    def _park(self, connection: "_Connection") -> None:
        if self.initialised_at is None:
            self.initialised_at = time.perf_counter()
        self._finish_init(None)
        self._parked = connection
        self._hand_over()
        if self._parked is not None:
            self._on_waiting()

    def _finish_init(self, outcome: RuntimeAnswer | None) -> None:
        if not self.initialised.done():
            self.initialised.set_result(outcome)

    def _hand_over(self) -> None:
        invocation, connection = self._pending, self._parked
        if invocation is None or connection is None:
            return
        self._pending = self._parked = None
        self._current_id = invocation.request_id
        connection.respond(200, invocation.payload, _invocation_headers(invocation, self._function_arn))

    def _finish_invocation(self, path: str, request: "_Request", connection: "_Connection") -> None:
        request_id, _, operation = path.partition("/")
        if operation not in ("response", "error"):
            connection.respond(404, _error("InvalidRequest", f"no such operation: {request.path}"))
        elif request_id != self._current_id or self._answer is None or self._answer.done():
            connection.respond(400, _error("InvalidRequestID", "Invalid request ID"))
        elif len(request.body) > MAX_PAYLOAD_BYTES:
            message = f"Exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes)."
            self._answer.set_result(_too_large(request_id))
            connection.respond(413, _error("RequestEntityTooLarge", message))
        else:
            error_type = request.error_type if operation == "error" else None
            self._answer.set_result(RuntimeAnswer(payload=request.body, error_type=error_type))
            connection.respond(202, _ACCEPTED)


_ACCEPTED = b'{"status":"OK"}'


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": error_type}).encode()


def _too_large(request_id: str) -> RuntimeAnswer:
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes)."
    error_type = "Function.ResponseSizeTooLarge"
    described = {"errorType": error_type, "errorMessage": message, "requestId": request_id}
    return RuntimeAnswer(payload=json.dumps(described).encode(), error_type=error_type)


def _invocation_headers(invocation: RuntimeInvocation, function_arn: str) -> str:
    return (
        f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {invocation.deadline_ms}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {function_arn}\r\n"
        f"Lambda-Runtime-Trace-Id: {invocation.trace_id}\r\n"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def error_type(self) -> str:
        """The runtime's name for the error: from its header, else from the body."""
        named = self.headers.get(_ERROR_TYPE_HEADER)
        try:
            described = json.loads(self.body)
        except ValueError:
            described = None
        if isinstance(described, dict) and described.get("errorType"):
            return str(described["errorType"])
        return named or "Unhandled"


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and Content-Length bodies, which is what runtimes send."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._api.is_listening:
            self._transport.abort()
            return
        self._api.connections.add(self)
        # Nagle's algorithm with the peer's delayed acknowledgement would cost 40 ms a request.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._api.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._take_request()) is not None:
            self._api.handle(request, self)

    def respond(self, status: int, body: bytes, headers: str = "") -> None:
        """Writes head and body at once."""
        if self._transport is None:
            return
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"{headers}Content-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode("latin-1") + body)

    def close(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _take_request(self) -> _Request | None:
        self._head = self._head or self._take_head()
        if self._head is None:
            return None
        method, path, headers = self._head
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return _Request(method=method, path=path, headers=headers, body=body)

    def _take_head(self) -> tuple[str, str, dict[str, str]] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        request_line, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        method, path, *_ = request_line.split(" ")
        pairs = (line.partition(":") for line in lines)
        return method, path, {name.strip().lower(): value.strip() for name, _, value in pairs}
