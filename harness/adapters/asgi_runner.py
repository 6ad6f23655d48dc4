"""Runs an ASGI application in a process of its own for each connection: `python -P asgi_runner.py SOCKET`.

A program apart, never imported by the judge: it knows the standard library, and the application only by the names
that it is told. It listens on a Unix socket and forks for every connection, so that what was imported before
(`preload`) costs nothing again. A message is a length of four bytes and a JSON document.

The application meets this machine alone: another host's name is refused at once, where a resolver without a network
would be waited for.
"""

import asyncio
import base64
import contextlib
import importlib
import ipaddress
import json
import os
import socket
import struct
import sys
import threading
from typing import Any
from urllib.parse import unquote

_LENGTH = struct.Struct(">I")
_STARTUP_S = 10.0
Document = dict[str, Any]


def main() -> None:
    """Serves until the listening socket's owner ends us."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        connection, _ = listener.accept()
        _reap()
        hello = _receive(connection)
        if hello is None:
            connection.close()
        elif "preload" in hello:
            _preload(hello["preload"])
            _send(connection, {"preloaded": True})
            connection.close()
        elif os.fork() == 0:
            listener.close()
            _serve(connection, hello)
        else:
            connection.close()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _preload(names: list[str]) -> None:
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _serve(connection: socket.socket, hello: Document) -> None:
    """Answers one connection's requests and ends the process, whatever happens."""
    try:
        _send(connection, {"pid": os.getpid()})
        _refuse_other_hosts()
        asyncio.run(_answer_all(connection, hello))
    except BaseException as error:  # noqa: BLE001 - whatever a broken application raises ends this process alone
        with contextlib.suppress(OSError):
            _send(connection, {"failure": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _refuse_other_hosts() -> None:
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *more: Any, **named: Any) -> Any:
        if not _is_here(host):
            raise socket.gaierror(socket.EAI_NONAME, "there is no network")
        return look_up(host, *more, **named)

    socket.getaddrinfo = look_up_here


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _answer_all(connection: socket.socket, hello: Document) -> None:
    root: str = hello["root"]
    lines = _Lines(root) if hello["traced"] else None
    app = _build(hello["app"], hello["settings"], root)
    await _start_lifespan(app)
    _send(connection, {"ready": True, "lines": lines.take() if lines else []})
    while (request := await asyncio.to_thread(_receive, connection)) is not None:
        if "modules" in request:
            _send(connection, {"modules": _modules(root)})
            continue
        answer = await _Call(request).run(app)
        _send(connection, {**answer, "lines": lines.take() if lines else []})


def _build(app: str, settings: str, root: str) -> Any:
    factory = _attribute(app)
    module = sys.modules[app.partition(":")[0]]
    if not str(module.__file__).startswith(root):
        raise ImportError(f"{app} was found in {module.__file__}, not below {root}")
    return factory(_attribute(settings)()) if settings else factory()


def _attribute(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _modules(root: str) -> list[str]:
    """What is imported from elsewhere: the same for every mutant."""
    found = [(name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items())]
    return [name for name, file in found if file and not str(file).startswith(root) and not name.startswith("__")]


async def _start_lifespan(app: Any) -> None:
    """Tells the application that it starts; one that knows no lifespan does without."""
    told: asyncio.Queue[Document] = asyncio.Queue()
    started = asyncio.Event()
    told.put_nowait({"type": "lifespan.startup"})

    async def send(_message: Document) -> None:
        started.set()

    async def run() -> None:
        with contextlib.suppress(Exception):
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, told.get, send)
        started.set()

    _start_lifespan.task = asyncio.create_task(run())  # type: ignore[attr-defined]  # must outlive this call
    async with asyncio.timeout(_STARTUP_S):
        await started.wait()


class _Call:
    """One request and what the application makes of it."""

    def __init__(self, request: Document) -> None:
        self._request = request
        self._body: bytes | None = base64.b64decode(request["body"])
        self._status = 0
        self._headers: list[list[str]] = []
        self._sent = bytearray()
        self._done = asyncio.Event()

    async def run(self, app: Any) -> Document:
        failure = ""
        try:
            await app(self._scope(), self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - an application that raises is an observation
            failure = f"the application raised {type(error).__name__}"
        if not self._status and not failure:
            failure = "the application sent no answer"
        body = b"" if self._request["method"] == "HEAD" else bytes(self._sent)
        return {
            "failure": failure,
            "status": self._status,
            "headers": self._headers,
            "body": base64.b64encode(body).decode(),
        }

    def _scope(self) -> Document:
        path, _, query = self._request["url"].partition("?")
        headers = [(name.lower().encode("latin-1"), value.encode()) for name, value in self._request["headers"]]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self._request["method"],
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": (self._request["host"], 80),
            "state": {},
        }

    async def _receive(self) -> Document:
        if self._body is None:
            await self._done.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Document) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            pairs = message.get("headers", ())
            self._headers = [[bytes(name).decode("latin-1"), bytes(value).decode("latin-1")] for name, value in pairs]
        elif message["type"] == "http.response.body":
            self._sent += message.get("body", b"")
            if not message.get("more_body"):
                self._done.set()


class _Lines:
    """The lines below a directory that ran, in every thread and greenlet, since they were last taken."""

    def __init__(self, root: str) -> None:
        self._root = root + os.sep
        self._seen: set[tuple[str, int]] = set()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        with contextlib.suppress(ImportError):
            # A new greenlet starts without a trace function, and SQLAlchemy's asynchronous engine works in them.
            greenlet: Any = importlib.import_module("greenlet")
            greenlet.settrace(lambda *_: sys.settrace(self._enter))

    def take(self) -> list[list[object]]:
        """File (relative to the directory) and line of each, once."""
        taken = sorted(self._seen)
        self._seen.clear()
        return [[path.removeprefix(self._root), line] for path, line in taken]

    def _enter(self, frame: Any, _event: str, _argument: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(self._root):
            return None
        self._seen.add((path, frame.f_lineno))
        return self._step

    def _step(self, frame: Any, _event: str, _argument: Any) -> Any:
        self._seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._step


def _send(connection: socket.socket, document: Document) -> None:
    data = json.dumps(document).encode()
    connection.sendall(_LENGTH.pack(len(data)) + data)


def _receive(connection: socket.socket) -> Document | None:
    head = _read(connection, _LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    document: Document = json.loads(_read(connection, _LENGTH.unpack(head)[0]))
    return document


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


if __name__ == "__main__":
    main()
