"""A legacy system that somebody else runs: an address, perhaps its SQLite file and a command that resets it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.domain.errors import ConfigurationError, SystemUnavailable
from legacy_adapter.adapter import wait_until_healthy

_RESET_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """Where it answers; `reset_command` makes it forget its process memory."""

    url: str
    database: Path | None = None
    cache_directory: Path | None = None
    results_directory: Path | None = None
    reset_command: Sequence[str] = ()
    jwt_secret_file: Path | None = None
    health_path: str = "/health"
    startup_timeout_s: float = 30.0


class RemoteSystem:
    """Implements LegacySystem without owning a process."""

    def __init__(self, settings: RemoteSettings) -> None:
        address = urlsplit(settings.url)
        if address.scheme not in {"http", "https"} or not address.hostname:
            hint = "Give it as http://host:port."
            raise ConfigurationError("the legacy address is not an HTTP address", where=settings.url, hint=hint)
        self._settings = settings

    @property
    def url(self) -> str:
        """Base address."""
        return self._settings.url.rstrip("/")

    @property
    def database_path(self) -> Path | None:
        """Its SQLite file, if we can reach it."""
        return self._settings.database

    @property
    def cache_directory(self) -> Path | None:
        """Its Parquet cache, if we can reach it."""
        return self._settings.cache_directory

    @property
    def results_directory(self) -> Path | None:
        """Its result files, if we can reach them."""
        return self._settings.results_directory

    @property
    def jwt_secret_file(self) -> Path | None:
        """Its secret, if the user named the file."""
        return self._settings.jwt_secret_file

    @property
    def can_restart(self) -> bool:
        """Where there is a reset command."""
        return bool(self._settings.reset_command)

    @property
    def pids(self) -> tuple[int, ...]:
        """None: we start nothing."""
        return ()

    async def start(self) -> None:
        """Waits until it answers; raises SystemUnavailable."""
        settings = self._settings
        await wait_until_healthy(self.url, settings.health_path, timeout_s=settings.startup_timeout_s)

    async def stop(self) -> None:
        """Leaves it running: it is not ours."""

    async def restart(self) -> None:
        """Runs the reset command and waits until it answers again.

        Raises:
            ConfigurationError: there is no reset command.
            SystemUnavailable: the command failed, or the system stayed silent.
        """
        if not self._settings.reset_command:
            hint = "Set `reset_command` under [legacy] in parakeet.toml."
            raise ConfigurationError("a remote legacy system cannot be restarted", where=self.url, hint=hint)
        await _run(self._settings.reset_command)
        await self.start()


async def _run(command: Sequence[str]) -> None:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        raise SystemUnavailable(f"cannot start the reset command: {error}", where=command[0]) from error
    try:
        async with asyncio.timeout(_RESET_TIMEOUT_S):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise SystemUnavailable("the reset command did not end in time", where=command[0]) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = output.decode(errors="replace").strip()[-800:]
        raise SystemUnavailable(f"the reset command ended with {process.returncode}", where=command[0], hint=last)
