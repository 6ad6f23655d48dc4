"""PgBouncer in transaction mode in front of a PostgreSQL server, standing where Neon's pooler stands.

The binary is the system's (Debian: `apt-get install pgbouncer`). It is as strict as by default: a startup parameter
that it does not know is refused, and nothing of a session outlives its transaction.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from harness.child import Child, free_port
from harness.domain.errors import SystemUnavailable
from harness.staging.postgres_cluster import open_to_others, service_account

_START_TIMEOUT_S = 10.0
_POLL_S = 0.02
_MAX_CLIENTS = 500


def find_pooler() -> str | None:
    """Path of PgBouncer's binary; None where it is not installed."""
    return shutil.which("pgbouncer", path=os.pathsep.join((os.defpath, "/usr/sbin", "/usr/local/sbin")))


class LocalPooler:
    """One PgBouncer for one database address; `pool_size` is how many connections it opens to the server."""

    def __init__(self, dsn: str, directory: Path, *, pool_size: int, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are PgBouncer's own, over ours."""
        self._server = urlsplit(dsn)
        self._directory = directory
        self._pool_size = pool_size
        self._settings = settings or {}
        self._child: Child | None = None
        self._port = 0

    @property
    def dsn(self) -> str:
        """Address of the database through the pooler; it carries the password."""
        user, _, _ = self._server.netloc.rpartition("@")
        return f"postgresql://{user}@127.0.0.1:{self._port}{self._server.path}"

    async def start(self) -> None:
        """Accepts connections once it returns.

        Raises:
            SystemUnavailable: it is not installed, or did not start; carries its last lines.
        """
        binary = find_pooler()
        if binary is None:
            hint = "Install it: apt-get install pgbouncer."
            raise SystemUnavailable("PgBouncer is not installed", where="pgbouncer", hint=hint)
        self._port = free_port()
        configuration = self._write_configuration()
        account = service_account()
        command = [binary, *(("-u", account.pw_name) if account else ()), str(configuration)]
        self._child = Child.start(command, name="pgbouncer", log_path=self._directory / "pgbouncer.log")
        await self._until_ready(self._child)

    async def stop(self) -> None:
        """Ends it and every connection through it; safe to call twice."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def _until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while child.exit_status is None and time.monotonic() < deadline:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(_POLL_S)
                continue
            writer.close()
            return
        await self.stop()
        raise SystemUnavailable("PgBouncer did not start", where=str(child.log_path), hint=child.tail(5))

    def _write_configuration(self) -> Path:
        server, password = self._server, unquote(self._server.password or "")
        host, port = self._server_address()
        name = server.path.lstrip("/")
        users = self._private("users.txt", f"{_quoted(unquote(server.username or ''))} {_quoted(password)}\n")
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self._port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256" if password else "trust",
            "auth_file": str(users),
            "pool_mode": "transaction",
            "default_pool_size": str(self._pool_size),
            "max_client_conn": str(_MAX_CLIENTS),
            # A server that was away is tried again at once rather than after 15 s.
            "server_login_retry": "0.2",
            **self._settings,
        }
        lines = ["[databases]", f"{name} = host={host} port={port} dbname={name}", "[pgbouncer]"]
        return self._private("pgbouncer.ini", "\n".join([*lines, *(f"{k} = {v}" for k, v in settings.items())]) + "\n")

    def _server_address(self) -> tuple[str, int]:
        query = parse_qs(self._server.query)
        host = query.get("host", [self._server.hostname or "127.0.0.1"])[0]
        return host, self._server.port or int(query.get("port", ["5432"])[0])

    def _private(self, name: str, content: str) -> Path:
        """A file that only the account that PgBouncer runs as can read, since it may hold the password."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / name
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")
        account = service_account()
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)
            open_to_others(self._directory.resolve())
        return path


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
