"""Our end of `asgi_runner.py`: a directory with an application, and one fresh process of it per connection."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from harness.adapters.http import utc_now
from harness.child import Child
from harness.domain.errors import SystemUnavailable
from harness.domain.exchange import Exchange, Request, Response, Side
from harness.domain.request_target import wire_target

_LENGTH = struct.Struct(">I")
_START_S = 10.0
_BUILD_S = 30.0
_POLL_S = 0.02
_RUNNER = Path(__file__).with_name("asgi_runner.py")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsgiApp:
    """What is run: `app` is `module:factory`, called with what `settings` (`module:function`, or empty) returns."""

    root: Path
    """The directory that holds the package; it is looked in before all others."""
    app: str
    settings: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    host: str = "target.test"
    timeout_s: float = 10.0


class AsgiHost:
    """Starts processes of the application, each as the files below `root` are at that moment."""

    def __init__(self, app: AsgiApp, runtime: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.app = app
        self._runtime = runtime
        self._clock = clock
        self._child: Child | None = None

    async def start(self) -> None:
        """Starts the process that forks the others.

        Raises:
            SystemUnavailable: it does not start; carries its last lines.
        """
        self._runtime.mkdir(parents=True, exist_ok=True)
        self._socket.unlink(missing_ok=True)
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": str(self.app.root),
            # A mutant must never be taken from a cache that its original left.
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.app.environment,
        }
        argv = [sys.executable, "-P", str(_RUNNER), str(self._socket)]
        log = self._runtime / "runner.log"
        self._child = Child.start(
            argv, name="the application's runner", log_path=log, cwd=self.app.root, env=environment
        )
        deadline = time.monotonic() + _START_S
        while not self._socket.exists():
            if self._child.exit_status is not None or time.monotonic() > deadline:
                raise SystemUnavailable("the application's runner does not start", hint=self._child.tail(5))
            await asyncio.sleep(_POLL_S)

    async def open(self, *, traced: bool = False) -> "AsgiSide":
        """A fresh process with the application built in it; `failure` of what is returned says why it could not be."""
        channel = await self._connect()
        app = self.app
        await channel.send(
            {"root": str(app.root.resolve()), "app": app.app, "settings": app.settings, "traced": traced}
        )
        side = AsgiSide(channel, app, self._clock)
        await side.wait_until_ready()
        return side

    async def preload(self, modules: Sequence[str]) -> None:
        """Imports modules once for all processes that follow."""
        channel = await self._connect()
        await channel.send({"preload": list(modules)})
        async with asyncio.timeout(_BUILD_S):
            await channel.receive()
        channel.close()

    def write(self, path: str, source: bytes) -> None:
        """Replaces one of the application's files, for the processes that are opened from now on."""
        (self.app.root / path).write_bytes(source)

    async def stop(self) -> None:
        """Ends every process of this host."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop(grace_s=0.5)

    @property
    def _socket(self) -> Path:
        return self._runtime / "runner.sock"

    async def _connect(self) -> "_Channel":
        try:
            return _Channel(*await asyncio.open_unix_connection(self._socket))
        except OSError as error:
            hint = "" if self._child is None else self._child.tail(5)
            raise SystemUnavailable("the application's runner does not answer", hint=hint) from error


class AsgiSide:
    """A `SideClient` that calls the application without a network."""

    def __init__(self, channel: "_Channel", app: AsgiApp, clock: Callable[[], datetime]) -> None:
        self._channel = channel
        self._app = app
        self._clock = clock
        self._pid = 0
        self.failure = ""
        """Why the application is not there, or no longer."""
        self.lines: frozenset[tuple[str, int]] = frozenset()
        """What ran during the last request (before the first: while it was built), where that is traced."""

    async def wait_until_ready(self) -> None:
        """Waits until the application is built or `failure` says why not."""
        self._pid = (await self._receive(_BUILD_S)).get("pid", 0)
        if not self.failure:
            self._observe(await self._receive(_BUILD_S))

    async def send(self, request: Request) -> Exchange:
        """Calls once; an exception, silence and the process's end become `transport_error`."""
        request = structs.replace(request, url=wire_target(request.url))
        sent_at, started = self._clock(), time.perf_counter()
        answer = await self._call(request) if not self.failure else {}
        response, failure = None, self.failure or answer.get("failure")
        if not failure:
            headers = tuple((name, value) for name, value in answer["headers"])
            response = Response(status=answer["status"], headers=headers, body=base64.b64decode(answer["body"]))
        return Exchange(
            side=Side.TARGET,
            base_url=f"http://{self._app.host}",
            request=request,
            response=response,
            transport_error=None if response else failure,
            sent_at=sent_at,
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    async def fetch_modules(self) -> list[str]:
        """Names of the modules imported from outside the application's directory."""
        await self._channel.send({"modules": True})
        names: list[str] = (await self._receive(_BUILD_S)).get("modules", [])
        return names

    async def close(self) -> None:
        """Ends the process at once: it may hang, or hold locks."""
        self._channel.close()
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    async def _call(self, request: Request) -> Document:
        headers = [["host", self._app.host], *map(list, request.headers)]
        if request.body is not None:
            headers.append(["content-length", str(len(request.body))])
        document = {
            "method": request.method,
            "url": request.url,
            "headers": headers,
            "host": self._app.host,
            "body": base64.b64encode(request.body or b"").decode(),
        }
        with contextlib.suppress(OSError):
            await self._channel.send(document)
        answer = await self._receive(self._app.timeout_s)
        self._observe(answer)
        return answer

    async def _receive(self, timeout_s: float) -> Document:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._channel.receive()
        except TimeoutError:
            self.failure = f"no answer within {timeout_s:g} s"
            return {}
        if answer is None:
            self.failure = "the process ended"
        elif "status" not in answer and answer.get("failure"):
            self.failure = answer["failure"]
        return answer or {}

    def _observe(self, answer: Document) -> None:
        self.lines = frozenset((path, line) for path, line in answer.get("lines", ()))


class _Channel:
    """Messages of a length and a JSON document."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, document: Document) -> None:
        data = json.dumps(document).encode()
        self._writer.write(_LENGTH.pack(len(data)) + data)
        await self._writer.drain()

    async def receive(self) -> Document | None:
        """The next message, or None where the other end has closed."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            document: Document = json.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError):
            return None
        return document

    def close(self) -> None:
        self._writer.close()
