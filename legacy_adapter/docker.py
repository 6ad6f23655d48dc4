"""The legacy system as a container of an image, its port published on loopback only."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from legacy_adapter.secret_file import write_secret
from legacy_adapter.served_child import Launch, ServedChild

_REMOVE_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSettings:
    """An image and the host directory that holds its data (mounted at `container_data`)."""

    image: str
    data_directory: Path
    runtime_directory: Path
    container_port: int = 8000
    container_data: str = "/app/data"
    database_name: str = "trades.db"
    cache_directory: Path | None = None
    results_directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    health_path: str = "/health"
    startup_timeout_s: float = 60.0
    port: int | None = None
    jwt_secret: str | None = field(default=None, repr=False)


class DockerSystem:
    """Implements LegacySystem with `docker run` in the foreground, so that its output is ours to show."""

    def __init__(self, settings: DockerSettings) -> None:
        self._settings = settings
        self._container = f"parakeet-legacy-{secrets.token_hex(6)}"
        self._secret = settings.jwt_secret
        self._served = ServedChild(self._prepare, port=settings.port)

    @property
    def url(self) -> str:
        """Base address on the host."""
        return self._served.url

    @property
    def database_path(self) -> Path:
        """The SQLite file on the host's side of the mount."""
        return self._settings.data_directory.absolute() / self._settings.database_name

    @property
    def cache_directory(self) -> Path | None:
        """The host's side of the cache mount."""
        return self._settings.cache_directory

    @property
    def results_directory(self) -> Path | None:
        """The host's side of the results mount."""
        return self._settings.results_directory

    @property
    def jwt_secret_file(self) -> Path:
        """The secret passed to the container, mode 0600."""
        return self._settings.runtime_directory / "jwt_secret"

    @property
    def can_restart(self) -> bool:
        """Always: the container is ours."""
        return True

    @property
    def pids(self) -> tuple[int, ...]:
        """The docker client's process."""
        return self._served.pids

    async def start(self) -> None:
        """Runs the image and waits for its health answer; raises SystemUnavailable, removing the container."""
        try:
            await self._served.start()
        except BaseException:
            await self._remove()
            raise

    async def stop(self) -> None:
        """Ends the client, which passes the signal on, and removes the container if it is still there."""
        was_running = bool(self.pids)
        await self._served.stop()
        if was_running:
            await self._remove()

    async def restart(self) -> None:
        """A new container on the same port and mounts."""
        await self.stop()
        await self.start()

    def _prepare(self, port: int) -> Launch:
        settings = self._settings
        for directory, _ in self._mounts():
            if directory.absolute().is_relative_to(settings.runtime_directory.absolute()):
                _open_to_any_account(directory)
        self._secret = write_secret(self.jwt_secret_file, self._secret)
        # Named without values: the client reads them from its environment, so they are in no process list.
        passed = {"TZ": "UTC", "PYTHONHASHSEED": "0", **settings.environment, "JWT_SECRET": self._secret}
        return Launch(
            name="the legacy container",
            argv=[*self._run_arguments(port), *(part for name in passed for part in ("-e", name)), settings.image],
            cwd=settings.runtime_directory,
            environment={**os.environ, **passed},
            log_path=settings.runtime_directory / "legacy.log",
            health_path=settings.health_path,
            startup_timeout_s=settings.startup_timeout_s,
        )

    def _run_arguments(self, port: int) -> list[str]:
        settings = self._settings
        arguments = ["docker", "run", "--rm", "--name", self._container]
        arguments += ["-p", f"127.0.0.1:{port}:{settings.container_port}"]
        for host, container in self._mounts():
            arguments += ["-v", f"{host.absolute()}:{container}"]
        return arguments

    def _mounts(self) -> list[tuple[Path, str]]:
        settings = self._settings
        mounts = [(settings.data_directory, settings.container_data)]
        if settings.cache_directory is not None:
            mounts.append((settings.cache_directory, "/app/cache"))
        if settings.results_directory is not None:
            mounts.append((settings.results_directory, "/app/reports"))
        return mounts

    async def _remove(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            process = await asyncio.create_subprocess_exec(
                "docker",
                "rm",
                "--force",
                self._container,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            async with asyncio.timeout(_REMOVE_TIMEOUT_S):
                await process.wait()


def _open_to_any_account(directory: Path) -> None:
    """The image runs under an account of its own, which must write what we mount.

    Only copies of ours are opened, in a directory that no other account of this machine can enter.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
