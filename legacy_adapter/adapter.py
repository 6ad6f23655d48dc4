"""The legacy system as the judge needs it: something that starts, answers, restarts and says where its state lies."""

import asyncio
import contextlib
import http.client
import socket
import time
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from harness.child import Child
from harness.domain.errors import SystemUnavailable

_POLL_S = 0.05
_PROBE_TIMEOUT_S = 2.0
_TAIL_LINES = 12


class LegacySystem(Protocol):
    """A running legacy system, ours or the real one; `start` returns once it answers."""

    async def start(self) -> None:
        """Starts it and waits for its health answer; raises SystemUnavailable, leaving no process behind."""

    async def stop(self) -> None:
        """Ends what `start` began; safe to call twice."""

    async def restart(self) -> None:
        """Forgets its process memory; the address stays, files and database stay as they are."""

    @property
    def url(self) -> str:
        """Base address without a trailing slash."""

    @property
    def database_path(self) -> Path | None:
        """Its live SQLite file, None where it cannot be reached."""

    @property
    def cache_directory(self) -> Path | None:
        """Its Parquet cache."""

    @property
    def results_directory(self) -> Path | None:
        """Its result files."""

    @property
    def jwt_secret_file(self) -> Path | None:
        """A file with its token secret, readable by us only; None where we did not choose it."""

    @property
    def can_restart(self) -> bool:
        """True where `restart` can make it forget its process memory."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes that we started for it."""


async def wait_until_healthy(
    url: str, path: str, *, timeout_s: float, child: Child | None = None, name: str = "the legacy system"
) -> None:
    """Returns once `GET url+path` answers below 500.

    Raises:
        SystemUnavailable: the child died, or nothing answered in time; carries the child's last output.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        if child is not None and child.exit_status is not None:
            raise _unavailable(f"{name} ended at start with status {child.exit_status}", url, child)
        last = await asyncio.to_thread(_probe, url, path)
        if last is None:
            return
        if time.monotonic() >= deadline:
            raise _unavailable(f"{name} did not answer {path} within {timeout_s:g} s ({last})", url, child)
        await asyncio.sleep(_POLL_S)


def require_free_port(port: int) -> None:
    """Raises SystemUnavailable if something already listens on that loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SystemUnavailable(
                f"port {port} is already taken",
                where=f"127.0.0.1:{port}",
                hint="End the program that listens there, or let a free port be chosen.",
            ) from error


def _probe(url: str, path: str) -> str | None:
    address = urlsplit(url)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=_PROBE_TIMEOUT_S)
    with contextlib.closing(connection):
        try:
            connection.request("GET", address.path + path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return None if status < 500 else f"status {status}"


def _unavailable(what: str, url: str, child: Child | None) -> SystemUnavailable:
    if child is None:
        return SystemUnavailable(what, where=url, hint="Check the address, and that the system is running.")
    output = child.tail(_TAIL_LINES).strip()
    said = f"Its last lines:\n{output}" if output else "It printed nothing."
    return SystemUnavailable(what, where=str(child.log_path), hint=said)
